/** What was accepted and is not durable yet: the latest state of each entry, no history. */

import type { Table } from './keys.ts';

/** A field of a table to set, or (undefined) to remove. */
export interface Write {
  readonly table: Table;
  readonly field: string;
  readonly value: string | undefined;
}

/** Writes on their way, by table and field. */
export type Batch = ReadonlyMap<string, Entry>;

interface Entry {
  readonly write: Write;
  /** Number of the oldest accepted write that this one stands for. */
  readonly since: number;
  /** Redis has nothing under this field, and was not told of it so far. */
  readonly isNew: boolean;
}

/** A bounded write-behind buffer. */
export interface Pending {
  /** Entries waiting and on their way. */
  readonly size: number;
  /** Number of the latest accepted write; 0 before the first. */
  readonly latest: number;
  /** `isNew`: there is nothing under this field yet. Removed before it was ever taken, it leaves no trace. */
  add(write: Write, isNew?: boolean): void;
  /** Moves up to `limit` waiting entries, oldest first, on their way. One batch at a time. */
  take(limit: number): Batch;
  /** The batch's writes that are not in `failed` are durable; those in it wait again, unless there is a newer state. */
  settle(failed: Batch): void;
  /** True when every write up to this number is durable. */
  isDurable(upTo: number): boolean;
  /** The latest state of each entry of a table that is not durable yet, by field. */
  latestOf(table: Table): Map<string, string | undefined>;
}

/**
 * Entries to keep are as many as there are entries. Entries to forget could grow without end while Redis is away, so
 * at most `maxDeletes` of them are held; then the oldest is given up, `onGivenUp` is told, and that entry is found
 * again at the next start (where a session, say, turns out to have gone).
 */
export function createPending(maxDeletes: number, onGivenUp: () => void): Pending {
  const saves = new Map<string, Entry>();
  const deletes = new Map<string, Entry>();
  let sent: Batch = new Map();
  let latest = 0;

  function put(key: string, entry: Entry): void {
    const [target, other] = entry.write.value === undefined ? [deletes, saves] : [saves, deletes];
    other.delete(key);
    target.set(key, entry);
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
    add(write, isNew = false) {
      latest += 1;
      const key = `${write.table} ${write.field}`;
      const before = saves.get(key) ?? deletes.get(key);
      if (before?.isNew === true && write.value === undefined) saves.delete(key);
      else put(key, { write, since: before?.since ?? latest, isNew: before?.isNew ?? isNew });
    },
    take(limit) {
      const batch = new Map<string, Entry>();
      for (const source of [deletes, saves]) {
        for (const [key, entry] of source) {
          if (batch.size >= limit) break;
          batch.set(key, entry);
          source.delete(key);
        }
      }
      sent = batch;
      return batch;
    },
    settle(failed) {
      sent = new Map();
      for (const [key, entry] of failed) {
        const newer = saves.get(key) ?? deletes.get(key);
        put(key, { write: newer ? newer.write : entry.write, since: entry.since, isNew: false });
      }
    },
    isDurable(upTo) {
      for (const part of [saves, deletes, sent])
        for (const { since } of part.values()) if (since <= upTo) return false;
      return true;
    },
    latestOf(table) {
      const found = new Map<string, string | undefined>();
      for (const part of [sent, saves, deletes])
        for (const { write } of part.values()) if (write.table === table) found.set(write.field, write.value);
      return found;
    },
  };
}
