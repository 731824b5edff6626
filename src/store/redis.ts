/** The store in Redis. Writes wait in memory until Redis has them; nobody ever waits for Redis but at start and end. */

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createKeys, type Table, tables } from './keys.ts';
import { type Batch, createPending } from './pending.ts';
import { createRedisLink, type RedisLinkOptions } from './redis-link.ts';
import { type Decode, readTable } from './redis-load.ts';
import { isReply, reasonOf } from './redis-reasons.ts';
import type { Store, StoreState } from './store.ts';
import { decodeSession, decodeWatch, encodeSession, watchField } from './value.ts';

/** What {@link createRedisStore} needs. */
export interface RedisStoreOptions extends RedisLinkOptions {
  /** In front of every key. */
  readonly prefix: string;
  /** Entries to forget that are held while Redis is away; further ones push the oldest out. */
  readonly maxDeletes?: number;
  /** About how many audit entries the stream keeps; 0, the default, for none. */
  readonly auditLength?: number;
}

/** Entries written by one command: long enough to be cheap, short enough not to hold Redis up. */
const batchSize = 500;
/** Audit entries on their way to Redis; further ones are only in the log. */
const maxAudits = 1000;
/** Wait before a refused write is tried again, milliseconds. */
const refusedRetryMs = 1000;

/** See {@link Store}. `onState` tells changes of `usable` and `reason`; `pending` is read from `state`. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { host, port, log, maxDeletes = 100_000, auditLength = 0 } = options;
  const keyOf = createKeys(options.prefix);
  const listeners = new Set<(state: StoreState) => void>();
  /** Run after each change of what is pending or usable. */
  const waiters = new Set<() => void>();
  /** Loads under way, each with the writes accepted since it began. */
  const loads = new Set<{ readonly table: Table; readonly meanwhile: Map<string, string | undefined> }>();
  let client: Redis | undefined;
  let linkReason = 'Redis: not connected yet';
  let writeReason = '';
  let flushing = false;
  let retry: NodeJS.Timeout | undefined;
  let audits = 0;
  let givenUp = 0;
  /** Where this is found, Redis is the one that holds what we wrote. */
  const mark = randomUUID();
  let marked = false;
  let told = '';

  const pending = createPending(maxDeletes, () => {
    givenUp += 1;
  });
  const link = createRedisLink(options, {
    // Deletes nothing, but fails where Redis would not take a write.
    probe: async (probed) => void (await probed.hdel(keyOf('sessions'), '')),
    onUp(connected) {
      client = connected;
      marked = false;
      void leaveMark(connected);
      linkReason = '';
      tell();
      void writeAll();
    },
    async check(checked) {
      const [, [, found]] = await checked.hscan(keyOf('mark'), '0');
      if (found === mark) return;
      // Emptied while connected, or another one behind the same address.
      if (marked) throw new Error('MARK is gone');
      await leaveMark(checked);
    },
    onDown(reason) {
      client = undefined;
      linkReason = reason;
      tell();
    },
  });

  /** Never rejects: a full Redis takes it later. */
  async function leaveMark(to: Redis): Promise<void> {
    marked = await to.hset(keyOf('mark'), 'bridge', mark).then(
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
    pending.add({ table, field, value }, isNew);
    for (const load of loads) if (load.table === table) load.meanwhile.set(field, value);
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
      const { failed, error } = await write(client, batch);
      pending.settle(failed);
      if (error !== undefined) refused(error);
      // A full Redis deletes all the same: only a save shows that it has room again.
      else if (pending.size === 0 || [...batch.values()].some(({ write }) => write.value !== undefined))
        writeReason = '';
      tell();
    }
    flushing = false;
    if (givenUp > 0 && client !== undefined) {
      log.warn(
        { entries: givenUp },
        'store: ended sessions and the like could not be forgotten while Redis was away',
      );
      givenUp = 0;
    }
  }

  async function write(to: Redis, batch: Batch): Promise<{ failed: Batch; error: unknown }> {
    // Deletes apart from saves, because a full Redis still deletes.
    const parts = tables.flatMap((table) => {
      const own = [...batch].filter(([, { write }]) => write.table === table);
      const removed = own.filter(([, { write }]) => write.value === undefined);
      const set = own.filter(([, { write }]) => write.value !== undefined);
      const pairs = set.flatMap(([, { write }]) => [write.field, write.value ?? '']);
      return [
        { entries: removed, command: () => to.hdel(keyOf(table), ...removed.map(([, e]) => e.write.field)) },
        { entries: set, command: () => to.hset(keyOf(table), ...pairs) },
      ].filter(({ entries }) => entries.length > 0);
    });
    const results = await Promise.allSettled(parts.map(({ command }) => command()));
    const failed = new Map(
      parts.flatMap(({ entries }, at) => (results[at]?.status === 'rejected' ? entries : [])),
    );
    const failure = results.find((result) => result.status === 'rejected');
    return { failed, error: failure?.reason };
  }

  function refused(error: unknown): void {
    // Whatever is wrong with the connection, or with the server's role, a new connection finds out.
    if (!isReply(error) || /^(READONLY|NOAUTH|LOADING)/.test(String(error).replace(/^ReplyError: /, ''))) {
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

  /** All entries of a table. What was accepted since the load began has the last word. */
  async function load<T>(table: Table, decode: Decode<T>): Promise<T[]> {
    if (client === undefined) throw new Error(linkReason);
    const own = { table, meanwhile: pending.latestOf(table) };
    loads.add(own);
    try {
      const entries = await readTable(client, keyOf(table), decode, log);
      for (const [field, value] of own.meanwhile) {
        const entry = value === undefined ? undefined : decode(field, value);
        if (entry === undefined) entries.delete(field);
        else entries.set(field, entry);
      }
      return [...entries.values()];
    } catch (error) {
      throw new Error(reasonOf(error, host, port));
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
    get state() {
      return state();
    },
    async start(timeoutMs) {
      link.start();
      await within(timeoutMs, () => state().usable);
    },
    async stop(graceMs) {
      if (!(await durable(graceMs))) {
        log.error(
          { pending: pending.size },
          `store: stopped with writes that Redis does not have: ${state().reason}`,
        );
      }
      clearTimeout(retry);
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
    saveFact: (name, text) => accept('facts', name, text),
    deleteFact: (name) => accept('facts', name, undefined),
    audit(entry) {
      if (auditLength === 0 || client === undefined || audits >= maxAudits) return;
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
