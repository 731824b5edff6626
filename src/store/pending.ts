/** What was accepted and is not durable yet: the latest state of each thing, no history. */

import type { BareJid } from '../protocol/jid.ts';
import type { Table } from './keys.ts';
import type { BookName } from './store.ts';

/** A field of a table to set, or (undefined) to remove. */
export interface FieldWrite {
  /** The table. */
  readonly place: Table;
  readonly field: string;
  readonly value: string | undefined;
}

/** An entry of somebody's book. */
export interface EntryWrite {
  /** See {@link placeOf}. */
  readonly place: string;
  /** The entry's id. */
  readonly field: string;
  readonly book: BookName;
  readonly owner: BareJid;
  readonly value: string;
  /** Epoch milliseconds; 0 for a mere replacement, which leaves the entry where it is. */
  readonly at: number;
  /** Whether it is to be there already: `append` leaves what is there, `replace` makes nothing new, `put` does both. */
  readonly mode: 'append' | 'replace' | 'put';
}

export type Write = FieldWrite | EntryWrite;

/** One owner's book as a place to write to. */
export function placeOf(book: BookName, owner: BareJid): string {
  return `${book} ${owner}`;
}

/** Tells entries from fields. */
export function isEntry(write: Write): write is EntryWrite {
  return 'mode' in write;
}

/** Writes on their way, by place and field. */
export type Batch = ReadonlyMap<string, Waiting>;

interface Waiting {
  readonly write: Write;
  /** Number of the oldest accepted write that this one stands for. */
  readonly since: number;
  /** Redis has nothing under this field, and was not told of it so far. */
  readonly isNew: boolean;
}

/** What waits: fields to set are as many as there are things; the others could grow without end while Redis is away. */
type Kind = 'save' | 'forget' | 'entry';

/** How many of a kind may wait; then the oldest is given up. */
export type PendingLimits = Readonly<Record<Exclude<Kind, 'save'>, number>>;

/** A bounded write-behind buffer. */
export interface Pending {
  /** Writes waiting and on their way. */
  readonly size: number;
  /** Number of the latest accepted write; 0 before the first. */
  readonly latest: number;
  /** How many of a kind wait. */
  waiting(kind: keyof PendingLimits): number;
  /** `isNew`: there is nothing under this field yet. Removed before it was ever taken, it leaves no trace. */
  add(write: Write, isNew?: boolean): void;
  /** Takes a write back that was durable and may not be any more; newer states stay newer. */
  again(write: Write): void;
  /** Moves up to `limit` waiting writes, oldest first, on their way. One batch at a time. */
  take(limit: number): Batch;
  /** The batch's writes that are not in `failed` are durable; those in it wait again, unless there is a newer state. */
  settle(failed: Batch): void;
  /** True when every write up to this number is durable. */
  isDurable(upTo: number): boolean;
  /** The latest state of each thing of a place that is not durable yet, by field. */
  latestOf(place: string): Map<string, Write>;
  /** Everything that is not durable yet, with repetitions. */
  all(): IterableIterator<Write>;
  /** Lets go of what waits for a place, also of what is on its way and may come back. Says how many entries were waiting. */
  drop(place: string): number;
}

/**
 * `onGivenUp` is told of each write that is given up at a limit. A thing to forget is found again at the next start
 * (where a session, say, turns out to have gone); an entry is lost.
 */
export function createPending(limits: PendingLimits, onGivenUp: (write: Write) => void): Pending {
  const waiting: Record<Kind, Map<string, Waiting>> = {
    // The order in which they are written: a full Redis still deletes.
    forget: new Map(),
    save: new Map(),
    entry: new Map(),
  };
  const kinds = Object.values(waiting);
  let sent = new Map<string, Waiting>();
  let latest = 0;

  const keyOf = ({ place, field }: Write) => `${place} ${field}`;
  const kindOf = (write: Write): Kind =>
    isEntry(write) ? 'entry' : write.value === undefined ? 'forget' : 'save';

  function put(key: string, one: Waiting): void {
    const kind = kindOf(one.write);
    for (const each of kinds) if (each !== waiting[kind]) each.delete(key);
    waiting[kind].set(key, one);
    if (kind === 'save' || waiting[kind].size <= limits[kind]) return;
    for (const [oldest, { write }] of waiting[kind]) {
      waiting[kind].delete(oldest);
      onGivenUp(write);
      return;
    }
  }

  const found = (key: string) => waiting.save.get(key) ?? waiting.forget.get(key) ?? waiting.entry.get(key);

  /** Waits, unless there is a newer state, which then stands for both. */
  function putBelow(key: string, { write, since }: Waiting): void {
    const newer = found(key);
    put(key, { write: newer ? merged(write, newer.write) : write, since, isNew: false });
  }

  return {
    get size() {
      return kinds.reduce((sum, { size }) => sum + size, sent.size);
    },
    get latest() {
      return latest;
    },
    waiting: (kind) => waiting[kind].size,
    add(write, isNew = false) {
      latest += 1;
      const key = keyOf(write);
      const before = found(key);
      if (before?.isNew === true && write.value === undefined) waiting.save.delete(key);
      else
        put(key, {
          write: merged(before?.write, write),
          since: before?.since ?? latest,
          isNew: before?.isNew ?? isNew,
        });
    },
    again(write) {
      latest += 1;
      putBelow(keyOf(write), { write, since: latest, isNew: false });
    },
    take(limit) {
      const batch = new Map<string, Waiting>();
      for (const kind of kinds) {
        for (const [key, one] of kind) {
          if (batch.size >= limit) break;
          batch.set(key, one);
          kind.delete(key);
        }
      }
      sent = batch;
      return new Map(batch);
    },
    settle(failed) {
      const before = sent;
      sent = new Map();
      for (const [key, one] of failed) if (before.has(key)) putBelow(key, one);
    },
    isDurable(upTo) {
      for (const part of [...kinds, sent])
        for (const { since } of part.values()) if (since <= upTo) return false;
      return true;
    },
    latestOf(place) {
      const latest = new Map<string, Write>();
      for (const part of [sent, ...kinds])
        for (const { write } of part.values())
          if (write.place === place) latest.set(write.field, merged(latest.get(write.field), write));
      return latest;
    },
    *all() {
      for (const part of [sent, ...kinds]) for (const { write } of part.values()) yield write;
    },
    drop(place) {
      let dropped = 0;
      for (const part of [sent, ...kinds]) {
        for (const [key, { write }] of part) {
          if (write.place !== place) continue;
          part.delete(key);
          if (part !== sent && isEntry(write) && write.mode !== 'replace') dropped += 1;
        }
      }
      return dropped;
    },
  };
}

/** What two writes of one thing come to. Of an entry, whether it must be new or must be there is what the first one said. */
export function merged(before: Write | undefined, next: Write): Write {
  if (before === undefined || !isEntry(before) || !isEntry(next)) return next;
  if (next.mode === 'append') return before;
  return { ...before, value: next.value, mode: before.mode === 'replace' ? 'replace' : 'put' };
}
