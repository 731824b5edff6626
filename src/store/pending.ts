/** What was accepted and is not durable yet: the latest state of each session, no history. */

import type { FullJid } from '../protocol/jid.ts';
import type { StoredSession } from './store.ts';

/** A session to keep, or (undefined) to forget. */
export type Write = StoredSession | undefined;

/** Writes on their way, by JID. */
export type Batch = ReadonlyMap<FullJid, Entry>;

interface Entry {
  readonly write: Write;
  /** Number of the oldest accepted write that this one stands for. */
  readonly since: number;
}

/** A bounded write-behind buffer. */
export interface Pending {
  /** Entries waiting and on their way. */
  readonly size: number;
  /** Number of the latest accepted write; 0 before the first. */
  readonly latest: number;
  add(jid: FullJid, write: Write): void;
  /** Moves up to `limit` waiting entries, oldest first, on their way. One batch at a time. */
  take(limit: number): Batch;
  /** The batch's writes that are not in `failed` are durable; those in it wait again, unless there is a newer state. */
  settle(failed: Batch): void;
  /** True when every write up to this number is durable. */
  isDurable(upTo: number): boolean;
  /** The latest state of each session that is not durable yet. */
  latestWrites(): Map<FullJid, Write>;
}

/**
 * Sessions to keep are as many as there are sessions. Sessions to forget could grow without end while Redis is away, so
 * at most `maxDeletes` of them are held; then the oldest is given up, `onGivenUp` is told, and that session is found
 * again at the next start (where it turns out to have gone).
 */
export function createPending(maxDeletes: number, onGivenUp: () => void): Pending {
  const saves = new Map<FullJid, Entry>();
  const deletes = new Map<FullJid, Entry>();
  let sent: Batch = new Map();
  let latest = 0;

  function put(jid: FullJid, entry: Entry): void {
    const [target, other] = entry.write === undefined ? [deletes, saves] : [saves, deletes];
    other.delete(jid);
    target.set(jid, entry);
    if (deletes.size <= maxDeletes) return;
    for (const [oldest] of deletes) {
      deletes.delete(oldest);
      onGivenUp();
      return;
    }
  }

  return {
    get size() {
      return saves.size + deletes.size + sent.size;
    },
    get latest() {
      return latest;
    },
    add(jid, write) {
      latest += 1;
      const before = saves.get(jid) ?? deletes.get(jid);
      put(jid, { write, since: before?.since ?? latest });
    },
    take(limit) {
      const batch = new Map<FullJid, Entry>();
      for (const source of [deletes, saves]) {
        for (const [jid, entry] of source) {
          if (batch.size >= limit) break;
          batch.set(jid, entry);
          source.delete(jid);
        }
      }
      sent = batch;
      return batch;
    },
    settle(failed) {
      sent = new Map();
      for (const [jid, entry] of failed) {
        const newer = saves.get(jid) ?? deletes.get(jid);
        put(jid, { write: newer ? newer.write : entry.write, since: entry.since });
      }
    },
    isDurable(upTo) {
      for (const part of [saves, deletes, sent])
        for (const { since } of part.values()) if (since <= upTo) return false;
      return true;
    },
    latestWrites() {
      return new Map([...sent, ...saves, ...deletes].map(([jid, { write }]) => [jid, write]));
    },
  };
}
