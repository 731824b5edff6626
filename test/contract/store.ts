/** What every store does: the specification of the port. Adapters' test files hold only the way to one. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BareJid, fullJid, parseJid } from '../../src/protocol/jid.ts';
import type { LedgerEntry, Page, Store, StoredSession, StoredWatch } from '../../src/store/store.ts';

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

    describe('a book', () => {
      const [weber, meyer] = [watch('x', 'tweber').watcher, watch('x', 'mmeyer').watcher];
      const now = Date.now();
      const entry = (id: string, ago = 0, text = `"${id}"`) => ({ id, at: now - ago, text });
      const all = { limit: 1000 };
      const idsOf = (entries: readonly LedgerEntry[]) => entries.map(({ id }) => id).join(' ');
      /** Asks before and after everything is durable: the answer is the same. */
      async function both<T>(ask: () => Promise<T>, expected: T): Promise<void> {
        expect(await ask()).toEqual(expected);
        await store.flush(5000);
        expect(await ask()).toEqual(expected);
      }

      test('gives back what was appended, newest first, to each their own', async () => {
        const [journal, missed] = [store.ledger('journal'), store.ledger('missed')];
        const text = '{"name":"Zoë 🎺","n":[1,2]}';
        journal.append(weber, entry('b', 10));
        journal.append(weber, { ...entry('c', 5), text });
        journal.append(weber, entry('a', 20));
        journal.append(meyer, entry('a', 1));
        missed.append(weber, entry('m'));
        await both(
          () => journal.read(weber, all),
          [{ ...entry('c', 5), text }, entry('b', 10), entry('a', 20)],
        );
        await both(() => journal.read(meyer, all), [entry('a', 1)]);
        await both(() => missed.read(meyer, all), []);
        await both(() => journal.get(weber, 'c'), { ...entry('c', 5), text });
        await both(() => journal.get(meyer, 'c'), undefined);
        await both(async () => [...(await journal.owners())].sort(), [meyer, weber]);
        expect(await store.ledger('records').owners()).toEqual([]);
      });

      test('holds an entry once, the first one, however often it is appended', async () => {
        const journal = store.ledger('journal');
        journal.append(weber, entry('a', 0, '1'));
        journal.append(weber, entry('a', 0, '2'));
        await store.flush(5000);
        journal.append(weber, entry('a', 7, '3'));
        await both(() => journal.read(weber, all), [entry('a', 0, '1')]);
      });

      test('replaces the text of an entry, durable or not, and of none that is not there', async () => {
        const journal = store.ledger('journal');
        journal.append(weber, entry('a', 9));
        journal.append(weber, entry('b'));
        journal.replace(weber, 'a', '"new"');
        journal.replace(weber, 'unknown', '"new"');
        await both(() => journal.read(weber, all), [entry('b'), entry('a', 9, '"new"')]);
        journal.replace(weber, 'b', '"newer"');
        journal.replace(weber, 'b', '"newest"');
        journal.append(weber, entry('b', 0, '"again"'));
        await both(() => journal.get(weber, 'b'), entry('b', 0, '"newest"'));
      });

      test('is read in pages, in both directions', async () => {
        const journal = store.ledger('journal');
        // Two of each moment: their ids decide.
        for (let number = 0; number < 10; number++)
          journal.append(weber, entry(`${number}`, 10 - Math.floor(number / 2)));
        const ids = async (page: Page) => idsOf(await journal.read(weber, page));
        await both(() => ids({ limit: 3 }), '9 8 7');
        await both(() => ids({ limit: 3, before: '7' }), '6 5 4');
        await both(() => ids({ limit: 9, before: '2' }), '1 0');
        await both(() => ids({ limit: 9, before: '0' }), '');
        await both(() => ids({ limit: 2, after: '5' }), '7 6');
        await both(() => ids({ limit: 9, after: '7' }), '9 8');
        await both(() => ids({ limit: 9, after: '9' }), '');
        await both(() => ids({ limit: 9, after: '2', before: '6' }), '5 4 3');
        await both(() => ids({ limit: 9, after: '6', before: '2' }), '');
        await both(() => ids({ limit: 2, before: 'forgotten' }), '');
        await both(() => ids({ limit: 2, after: 'forgotten' }), '1 0');
      });

      test('keeps so many entries an owner, and none for longer than it should', async () => {
        const journal = store.ledger('journal', { count: 3, ageMs: 60_000 });
        for (const [id, ago] of [
          ['a', 50],
          ['b', 40],
          ['c', 30],
          ['d', 20],
        ] as const)
          journal.append(weber, entry(id, ago));
        journal.append(meyer, entry('old', 70_000));
        journal.append(meyer, entry('new', 100));
        await store.flush(5000);
        expect(idsOf(await journal.read(weber, all))).toBe('d c b');
        expect(idsOf(await journal.read(meyer, all))).toBe('new');
        // Too old for a full book: it is not there afterwards, as it was not before.
        journal.append(weber, entry('a', 50));
        await store.flush(5000);
        expect(idsOf(await journal.read(weber, all))).toBe('d c b');
      });

      test('lets an owner go, written or not, and begin anew', async () => {
        const journal = store.ledger('journal');
        journal.append(weber, entry('a'));
        journal.append(meyer, entry('a'));
        store.ledger('missed').append(weber, entry('a'));
        await store.flush(5000);
        expect(await journal.erase(weber)).toBe(1);
        journal.append(weber, entry('b'));
        expect(await journal.erase(weber)).toBe(1);
        expect(await journal.erase(weber)).toBe(0);
        journal.replace(weber, 'a', '"back"');
        await both(() => journal.read(weber, all), []);
        await both(() => journal.owners(), [meyer]);
        expect(await store.ledger('missed').read(weber, all)).toHaveLength(1);
        journal.append(weber, entry('a', 0, '"anew"'));
        await both(() => journal.read(weber, all), [entry('a', 0, '"anew"')]);
      });
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
