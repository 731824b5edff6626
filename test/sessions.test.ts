import { describe, expect, it } from 'vitest';
import type { BareJid, FullJid } from '../src/protocol/jid.ts';
import { createSessions } from '../src/sessions.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import type { Subscription } from '../src/subscriptions/subscription.ts';

const desk = 'anna@example.org/desk' as FullJid;
const laptop = 'anna@example.org/laptop' as FullJid;
const anna = 'anna@example.org' as BareJid;
const wants = (module: string): Subscription => ({ module, type: '*', scope: 'user', filters: [] });

function table(limits: { sessions?: number; perUser?: number; subscriptions?: number } = {}) {
  const store = createMemoryStore();
  const index = createSubscriptionIndex();
  const all = { sessions: 10, perUser: 10, subscriptions: 10, ...limits };
  return { store, index, sessions: createSessions(store, index, all, () => 7) };
}

describe('sessions', () => {
  it('are kept in the store and the index as long as they are open', async () => {
    const { store, index, sessions } = table();
    sessions.open(desk, { os: 'Debian' }, [wants('base'), wants('base')]);
    expect(await store.loadSessions()).toEqual([
      { jid: desk, since: 7, client: { os: 'Debian' }, subscriptions: [wants('base')] },
    ]);
    expect(index.size).toBe(1);
    expect(sessions.close(desk)).toBe(true);
    expect(sessions.close(desk)).toBe(false);
    expect(await store.loadSessions()).toEqual([]);
    expect(index.size).toBe(0);
    expect(sessions.of(anna)).toEqual([]);
  });

  it('survive a restart, but never overwrite what was said since', async () => {
    const before = table();
    before.sessions.open(desk, {}, [wants('base')]);
    before.sessions.open(laptop, {}, [wants('base')]);
    const after = table();
    after.sessions.open(desk, {}, [wants('journal')]);
    after.sessions.restore(await before.store.loadSessions());
    expect(after.sessions.get(desk)?.subscriptions).toEqual([wants('journal')]);
    expect(after.sessions.get(laptop)?.subscriptions).toEqual([wants('base')]);
    expect(after.index.size).toBe(2);
  });

  it('bring a store up to date that came back with an older state', async () => {
    const { store, sessions } = table();
    sessions.open(desk, {}, [wants('base')]);
    const truth = await store.loadSessions();
    store.saveSession({ jid: desk, since: 1, client: {}, subscriptions: [] });
    store.saveSession({ jid: laptop, since: 1, client: {}, subscriptions: [] });
    sessions.reconcile(await store.loadSessions());
    expect(await store.loadSessions()).toEqual(truth);
    store.deleteSession(desk);
    sessions.reconcile(await store.loadSessions());
    expect(await store.loadSessions()).toEqual(truth);
  });

  it('stay within their limits, changing nothing where one is reached', () => {
    const { sessions, index } = table({ sessions: 2, perUser: 1, subscriptions: 2 });
    sessions.open(desk, {}, [wants('a')]);
    expect(() => sessions.open(laptop, {}, [])).toThrow('You have 1 sessions already');
    expect(() => sessions.subscribe(desk, [wants('b'), wants('c')])).toThrow('2 subscriptions at the most');
    expect(sessions.get(desk)?.subscriptions).toEqual([wants('a')]);
    sessions.open('b@example.org/x' as FullJid, {}, []);
    expect(() => sessions.open('c@example.org/x' as FullJid, {}, [])).toThrow(
      'as many sessions as it is configured for',
    );
    expect([sessions.size, index.size]).toEqual([2, 1]);
  });
});
