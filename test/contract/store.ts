/** What every store does: the specification of the port. Adapters' test files hold only the way to one. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BareJid, fullJid, parseJid } from '../../src/protocol/jid.ts';
import type { Store, StoredSession, StoredWatch } from '../../src/store/store.ts';

/** A session of `<user>@example.org/<resource>`. */
export function session(user: string, resource: string, more: Partial<StoredSession> = {}): StoredSession {
  const parsed = parseJid(`${user}@example.org/${resource}`);
  const jid = parsed && fullJid(parsed);
  if (jid === undefined) throw new Error(`no JID: ${user}, ${resource}`);
  return {
    jid,
    since: 1_700_000_000_123,
    client: { os: 'Linux', clientVersion: '1.0' },
    subscriptions: [
      { module: 'base', type: 'ChannelEvent', scope: 'user', filters: [] },
      {
        module: '*',
        type: '*',
        scope: 'supervisor',
        filters: [
          { name: 'eventType', equals: 'ringing' },
          { name: 'queue', equals: 'ünïcode & "quotes" 🎺' },
        ],
      },
    ],
    ...more,
  };
}

/** In the order of JIDs, as loading promises none. */
export function sorted(sessions: readonly StoredSession[]): StoredSession[] {
  return [...sessions].sort((a, b) => (a.jid < b.jid ? -1 : 1));
}

/** Somebody who watches a telephone. */
export function watch(contact: string, watcher: string): StoredWatch {
  return { contact: `${contact}@pbx.example.org` as BareJid, watcher: `${watcher}@example.org` as BareJid };
}

const inOrder = (watches: readonly StoredWatch[]) =>
  watches.map((each) => `${each.contact} ${each.watcher}`).sort();

/** The suite. `create` makes a store that holds nothing; it is started and stopped here. */
export function describeStore(name: string, create: () => Store): void {
  describe(`store contract: ${name}`, () => {
    let store: Store;
    beforeEach(async () => {
      store = create();
      await store.start(10_000);
    });
    afterEach(() => store.stop(5000));

    test('is usable, empty and owes nothing after start', async () => {
      expect(store.state).toEqual({ usable: true, pending: 0, reason: '' });
      expect(await store.loadSessions()).toEqual([]);
    });

    test('gives back every field of what was saved', async () => {
      const kept = session('tweber', 'desk');
      store.saveSession(kept);
      await store.flush(5000);
      expect(await store.loadSessions()).toEqual([kept]);
    });

    test('keeps resources apart, whatever is in them', async () => {
      const kept = ['a', 'A', 'with/slash', 'with blank', 'ü🎺', '{tag}', '*'].map((resource) =>
        session('tweber', resource),
      );
      for (const one of kept) store.saveSession(one);
      await store.flush(5000);
      expect(sorted(await store.loadSessions())).toEqual(sorted(kept));
    });

    test('keeps the latest state of a session only', async () => {
      store.saveSession(session('tweber', 'desk'));
      store.saveSession(session('tweber', 'desk', { subscriptions: [] }));
      await store.flush(5000);
      store.saveSession(session('tweber', 'desk', { since: 7, client: {}, subscriptions: [] }));
      expect(await store.loadSessions()).toEqual([
        session('tweber', 'desk', { since: 7, client: {}, subscriptions: [] }),
      ]);
    });

    test('forgets a deleted session, written or not, and lets it come back', async () => {
      const [written, fresh, back] = [session('tweber', 'a'), session('tweber', 'b'), session('tweber', 'c')];
      store.saveSession(written);
      store.saveSession(back);
      await store.flush(5000);
      store.saveSession(fresh);
      store.deleteSession(fresh.jid);
      store.deleteSession(written.jid);
      store.deleteSession(back.jid);
      store.saveSession(back);
      expect(await store.loadSessions()).toEqual([back]);
      await store.flush(5000);
      expect(await store.loadSessions()).toEqual([back]);
      expect(store.state.pending).toBe(0);
    });

    test('ignores the deletion of what it never held', async () => {
      store.deleteSession(session('nobody', 'nowhere').jid);
      await store.flush(5000);
      expect(await store.loadSessions()).toEqual([]);
    });

    test('loads what was accepted a moment before, durable or not', async () => {
      const kept = Array.from({ length: 2500 }, (_, number) => session(`user${number}`, 'desk'));
      for (const one of kept) store.saveSession(one);
      expect(await store.loadSessions()).toHaveLength(2500);
      await store.flush(10_000);
      expect(sorted(await store.loadSessions())).toEqual(sorted(kept));
    });

    test('keeps who watches whom, each pair once, until it is forgotten', async () => {
      const [a, b, c] = [watch('tweber', 'mmeyer'), watch('tweber', 'boss'), watch('*40', 'mmeyer')];
      for (const one of [a, b, c, a]) store.saveWatch(one);
      store.deleteWatch(b);
      expect(inOrder(await store.loadWatches())).toEqual(inOrder([a, c]));
      await store.flush(5000);
      store.deleteWatch(a);
      store.deleteWatch(watch('nobody', 'nowhere'));
      store.saveWatch(b);
      await store.flush(5000);
      expect(inOrder(await store.loadWatches())).toEqual(inOrder([b, c]));
      expect(await store.loadSessions()).toEqual([]);
    });

    test('keeps facts, the latest under each name', async () => {
      expect(await store.loadFacts()).toEqual(new Map());
      store.saveFact('weather', 'rain');
      store.saveFact('lunch', 'söup & bread');
      await store.flush(5000);
      store.saveFact('weather', 'sun');
      store.deleteFact('lunch');
      store.deleteFact('unknown');
      expect(await store.loadFacts()).toEqual(new Map([['weather', 'sun']]));
      await store.flush(5000);
      expect(await store.loadFacts()).toEqual(new Map([['weather', 'sun']]));
    });

    test('keeps what was told of calls, the latest under each channel', async () => {
      expect(await store.loadCalls()).toEqual(new Map());
      for (const name of ['a', 'b', 'c', 'd']) store.saveCall(name, 'rings', true);
      store.deleteCall('a');
      await store.flush(5000);
      store.saveCall('b', 'tälks', false);
      store.deleteCall('c');
      store.saveCall('e', 'rings', true);
      store.saveCall('e', 'talks', false);
      store.saveCall('f', 'rings', true);
      store.deleteCall('f');
      store.deleteCall('unknown');
      const kept = new Map([
        ['b', 'tälks'],
        ['d', 'rings'],
        ['e', 'talks'],
      ]);
      expect(new Map([...(await store.loadCalls())].sort())).toEqual(kept);
      await store.flush(5000);
      expect(new Map([...(await store.loadCalls())].sort())).toEqual(kept);
      expect(await store.loadFacts()).toEqual(new Map());
    });

    test('calls no listener after it was released', async () => {
      const told: unknown[] = [];
      const release = store.onState((state) => told.push(state));
      release();
      await store.stop(1000);
      expect(told).toEqual([]);
    });
  });
}
