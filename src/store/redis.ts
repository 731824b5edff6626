/** The store in Redis. Writes wait in memory until Redis has them; nobody ever waits for Redis but at start and end. */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createBound } from '../bounds.ts';
import type { BareJid } from '../protocol/jid.ts';
import { createKeys, type Table } from './keys.ts';
import { oldest } from './page.ts';
import { createPending, type EntryWrite, isEntry, placeOf, type Write } from './pending.ts';
import { createRecentWrites } from './recent.ts';
import { eraseEntries, readEntries, readEntry, readOwners, sweepBook } from './redis-ledger.ts';
import { createRedisLink, type RedisLinkOptions } from './redis-link.ts';
import { type Decode, readTable } from './redis-load.ts';
import { isReply, isRole, reasonOf } from './redis-reasons.ts';
import { writeBatch } from './redis-write.ts';
import type { BookName, Keep, Ledger, Store, StoreState } from './store.ts';
import { decodeSession, decodeWatch, encodeSession, watchField } from './value.ts';

/** What {@link createRedisStore} needs. */
export interface RedisStoreOptions extends RedisLinkOptions {
  /** In front of every key. */
  readonly prefix: string;
  /** Entries to forget that are held while Redis is away; further ones push the oldest out. */
  readonly maxDeletes?: number;
  /** Entries of books that are held while Redis is away; further ones push the oldest out. */
  readonly maxEntries?: number;
  /** About how many audit entries the stream keeps; 0, the default, for none. */
  readonly auditLength?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** Entries written by one command: long enough to be cheap, short enough not to hold Redis up. */
const batchSize = 500;
/** Audit entries on their way to Redis; further ones are only in the log. */
const maxAudits = 1000;
/** How often books are swept of what is too old, milliseconds: those whose owners get nothing new. */
const sweepEveryMs = 6 * 3_600_000;
/** Wait before a refused write is tried again, milliseconds. */
const refusedRetryMs = 1000;

/** See {@link Store}. `onState` tells changes of `usable` and `reason`; `pending` is read from `state`. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const {
    host,
    port,
    log,
    maxDeletes = 100_000,
    maxEntries = 50_000,
    auditLength = 0,
    now = Date.now,
  } = options;
  const keyOf = createKeys(options.prefix);
  const listeners = new Set<(state: StoreState) => void>();
  /** Run after each change of what is pending or usable. */
  const waiters = new Set<() => void>();
  /** Loads under way, each with the writes accepted since it began. */
  const loads = new Set<{ readonly table: Table; readonly meanwhile: Map<string, string | undefined> }>();
  /** Open books, with what is kept in them. */
  const keeps = new Map<BookName, Keep>();
  const keepOf = (book: BookName) => keeps.get(book);
  let client: Redis | undefined;
  let linkReason = 'Redis: not connected yet';
  let writeReason = '';
  let flushing = false;
  let retry: NodeJS.Timeout | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let audits = 0;
  let connects = 0;
  const givenUp = { forget: 0, entry: 0 };
  /** Where this is found, Redis is the one that holds what we wrote. */
  const mark = randomUUID();
  let leaving = Promise.resolve(false);
  let told = '';

  const bounds = {
    forget: createBound('store_deletes', maxDeletes, () => pending.waiting('forget')),
    entry: createBound('store_entries', maxEntries, () => pending.waiting('entry')),
  };
  const auditBound = createBound('store_audits', maxAudits, () => audits);
  const pending = createPending({ forget: maxDeletes, entry: maxEntries }, (write) => {
    const kind = isEntry(write) ? 'entry' : 'forget';
    givenUp[kind] += 1;
    bounds[kind].exceed();
  });
  const recent = createRecentWrites();
  const link = createRedisLink(options, {
    // Deletes nothing, but fails where Redis would not take a write; and does nothing, but fails where scripts are forbidden.
    probe: async (probed) =>
      void (await Promise.all([probed.hdel(keyOf('sessions'), ''), probed.eval('return 1', 0)])),
    onUp(connected) {
      client = connected;
      connects += 1;
      leaving = leaveMark(connected);
      linkReason = '';
      for (const write of recent.take()) pending.again(write);
      tell();
      void writeAll();
      void sweep();
    },
    async check(checked) {
      const marked = await leaving;
      const [, [, found]] = await checked.hscan(keyOf('mark'), '0');
      if (found === mark) return;
      // It took no writes when we came. Where it still does not, all waits anyway; where it does, nobody knows what it has lost meanwhile.
      if (!marked && !(await leaveMark(checked))) return;
      // Emptied while connected, or another one behind the same address.
      throw new Error('MARK is gone');
    },
    onDown(reason) {
      if (client !== undefined) recent.cut(now());
      client = undefined;
      linkReason = reason;
      tell();
    },
  });

  /** Resolves with whether Redis took it. */
  function leaveMark(to: Redis): Promise<boolean> {
    return to.hset(keyOf('mark'), 'bridge', mark).then(
      () => true,
      () => false,
    );
  }

  function state(): StoreState {
    const reason = linkReason || writeReason;
    return { usable: reason === '', pending: pending.size, reason };
  }

  function tell(): void {
    const now = state();
    if (now.reason !== told) {
      told = now.reason;
      if (now.usable) log.info({ pending: now.pending }, 'store: Redis is usable');
      else log.warn({ pending: now.pending }, `store: ${now.reason}; going on from memory`);
      for (const listener of listeners) listener(now);
    }
    for (const waiter of waiters) waiter();
  }

  function accept(table: Table, field: string, value: string | undefined, isNew = false): void {
    for (const load of loads) if (load.table === table) load.meanwhile.set(field, value);
    enqueue({ place: table, field, value }, isNew);
  }

  function enqueue(write: Write, isNew = false): void {
    pending.add(write, isNew);
    if (client !== undefined && !flushing && retry === undefined) {
      flushing = true;
      // Gathers what this turn of the event loop still brings.
      setImmediate(() => {
        flushing = false;
        void writeAll();
      });
    }
  }

  /** Writes batch after batch until nothing waits or something fails. Never rejects. */
  async function writeAll(): Promise<void> {
    if (flushing) return;
    flushing = true;
    while (client !== undefined && retry === undefined && pending.size > 0) {
      const batch = pending.take(batchSize);
      const { failed, error } = await writeBatch({ client, keyOf, keepOf, now: now() }, batch);
      pending.settle(failed);
      recent.written(batch, failed, now());
      if (error !== undefined) refused(error);
      // A full Redis deletes all the same: only a save shows that it has room again.
      else if (pending.size === 0 || [...batch.values()].some(({ write }) => write.value !== undefined))
        writeReason = '';
      tell();
    }
    flushing = false;
    if (client !== undefined) tellGivenUp();
  }

  function tellGivenUp(): void {
    const { forget, entry } = givenUp;
    givenUp.forget = 0;
    givenUp.entry = 0;
    if (forget > 0)
      log.warn(
        { entries: forget },
        'store: ended sessions and the like could not be forgotten while Redis was away',
      );
    if (entry > 0)
      log.error(
        { entries: entry },
        'store: entries of journals and the like were lost: Redis was away too long',
      );
  }

  function refused(error: unknown): void {
    // Whatever is wrong with the connection, or with the server's role, a new connection finds out.
    if (!isReply(error) || isRole(error)) {
      client = undefined;
      linkReason = reasonOf(error, host, port);
      link.drop(error);
      return;
    }
    writeReason = reasonOf(error, host, port);
    retry = setTimeout(() => {
      retry = undefined;
      void writeAll();
    }, refusedRetryMs);
    retry.unref();
  }

  /** Resolves true when the condition holds, false after `timeoutMs`. */
  function within(timeoutMs: number, condition: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (result: boolean) => {
        clearTimeout(timer);
        waiters.delete(check);
        resolve(result);
      };
      const check = () => {
        if (condition()) end(true);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      waiters.add(check);
      check();
    });
  }

  /** Asks Redis something that must not be answered by half. */
  async function ask<T>(question: (of: Redis) => Promise<T>): Promise<T> {
    if (client === undefined) throw new Error(linkReason);
    try {
      return await question(client);
    } catch (error) {
      throw new Error(reasonOf(error, host, port));
    }
  }

  function ledger(book: BookName, keep: Keep | undefined): Ledger {
    if (keep !== undefined) keeps.set(book, keep);
    const latestOf = (owner: BareJid) => pending.latestOf(placeOf(book, owner));
    const write = (owner: BareJid, field: string, rest: Pick<EntryWrite, 'value' | 'at' | 'mode'>) =>
      enqueue({ place: placeOf(book, owner), field, book, owner, ...rest });
    return {
      append: (owner, { id, at, text }) => write(owner, id, { value: text, at, mode: 'append' }),
      replace: (owner, id, text) => write(owner, id, { value: text, at: 0, mode: 'replace' }),
      read: (owner, page) =>
        ask((of) => readEntries(of, keyOf, { book, owner }, latestOf(owner), page, oldest(keep, now()))),
      get: (owner, id) => ask((of) => readEntry(of, keyOf, { book, owner }, latestOf(owner).get(id), id)),
      async erase(owner) {
        const erased = await ask((of) => {
          const waiting = pending.drop(placeOf(book, owner));
          recent.drop(placeOf(book, owner));
          return eraseEntries(of, keyOf, { book, owner }).then((stored) => stored + waiting);
        });
        return erased;
      },
      async owners() {
        const found = await ask((of) => readOwners(of, keyOf, book));
        for (const each of pending.all()) if (isEntry(each) && each.book === book) found.add(each.owner);
        return [...found];
      },
    };
  }

  let sweeping = false;
  async function sweep(): Promise<void> {
    if (sweeping) return;
    sweeping = true;
    try {
      for (const [book, keep] of keeps)
        if (client !== undefined) await sweepBook(client, keyOf, book, keep, now());
    } catch (error) {
      log.warn(
        { reason: reasonOf(error, host, port) },
        'store: books could not be swept; they will be later',
      );
    } finally {
      sweeping = false;
    }
  }

  /** All entries of a table. What was accepted since the load began has the last word. */
  async function load<T>(table: Table, decode: Decode<T>): Promise<T[]> {
    const meanwhile = new Map<string, string | undefined>();
    for (const [field, { value }] of pending.latestOf(table)) meanwhile.set(field, value);
    const own = { table, meanwhile };
    loads.add(own);
    try {
      const entries = await ask((of) => readTable(of, keyOf(table), decode, log));
      for (const [field, value] of own.meanwhile) {
        const entry = value === undefined ? undefined : decode(field, value);
        if (entry === undefined) entries.delete(field);
        else entries.set(field, entry);
      }
      return [...entries.values()];
    } finally {
      loads.delete(own);
    }
  }

  const loadTexts = async (table: Table) => new Map(await load(table, (name, text) => [name, text] as const));

  const durable = (timeoutMs: number) => {
    const upTo = pending.latest;
    return within(timeoutMs, () => pending.isDurable(upTo));
  };

  return {
    bounds: [bounds.forget, bounds.entry, auditBound, ...recent.bounds],
    get state() {
      return state();
    },
    get connects() {
      return connects;
    },
    async start(timeoutMs) {
      link.start();
      sweeper = setInterval(() => void sweep(), sweepEveryMs);
      sweeper.unref();
      await within(timeoutMs, () => state().usable);
      // So that it is news when it is there, also where no attempt has failed.
      if (!state().usable) tell();
    },
    async stop(graceMs) {
      if (!(await durable(graceMs))) {
        log.error(
          { pending: pending.size },
          `store: stopped with writes that Redis does not have: ${state().reason}`,
        );
      }
      clearTimeout(retry);
      clearInterval(sweeper);
      client = undefined;
      linkReason = 'Redis: disconnected, the store was stopped';
      await link.stop();
      listeners.clear();
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    loadSessions: () => load('sessions', decodeSession),
    saveSession: (session) => accept('sessions', session.jid, encodeSession(session)),
    deleteSession: (jid) => accept('sessions', jid, undefined),
    loadWatches: () => load('watches', decodeWatch),
    saveWatch: (watch) => accept('watches', watchField(watch), '1'),
    deleteWatch: (watch) => accept('watches', watchField(watch), undefined),
    loadCalls: () => loadTexts('calls'),
    saveCall: (channel, text, isNew) => accept('calls', channel, text, isNew),
    deleteCall: (channel) => accept('calls', channel, undefined),
    loadFacts: () => loadTexts('facts'),
    saveFact: (name, text, isNew) => accept('facts', name, text, isNew),
    deleteFact: (name) => accept('facts', name, undefined),
    ledger,
    audit(entry) {
      if (auditLength === 0 || client === undefined || !auditBound.admits()) return;
      audits += 1;
      client
        .xadd(keyOf('audit'), 'MAXLEN', '~', auditLength, '*', 'entry', JSON.stringify(entry))
        .catch((error: unknown) =>
          log.warn({ reason: reasonOf(error, host, port) }, 'audit entry is not in Redis, only in this log'),
        )
        .finally(() => {
          audits -= 1;
        });
    },
    async flush(timeoutMs) {
      if (await durable(timeoutMs)) return;
      throw new Error(
        `store: ${pending.size} writes are not durable after ${timeoutMs} ms: ${state().reason}`,
      );
    },
  };
}
