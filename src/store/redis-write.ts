/** A batch of pending writes on its way into Redis. */

import type { Redis } from 'ioredis';
import { type Keys, tables } from './keys.ts';
import { type Batch, type EntryWrite, isEntry } from './pending.ts';
import { writeEntries } from './redis-ledger.ts';
import type { BookName, Keep } from './store.ts';

/** Where a batch goes. */
export interface Target {
  readonly client: Redis;
  readonly keyOf: Keys;
  readonly keepOf: (book: BookName) => Keep | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** One command, and the keys of the batch that it is for. */
interface Part {
  readonly keys: readonly string[];
  readonly command: () => Promise<unknown>;
}

/** Writes a batch; resolves with what of it failed, and one of the reasons. */
export async function writeBatch(target: Target, batch: Batch): Promise<{ failed: Batch; error: unknown }> {
  const parts = [...fieldParts(target, batch), ...entryParts(target, batch)];
  const results = await Promise.allSettled(parts.map(({ command }) => command()));
  const lost = new Set(parts.flatMap(({ keys }, at) => (results[at]?.status === 'rejected' ? keys : [])));
  const failure = results.find((result) => result.status === 'rejected');
  return { failed: new Map([...batch].filter(([key]) => lost.has(key))), error: failure?.reason };
}

/** Deletes apart from saves, because a full Redis still deletes. */
function fieldParts({ client, keyOf }: Target, batch: Batch): Part[] {
  return tables.flatMap((table) => {
    const own = [...batch].filter(([, { write }]) => write.place === table);
    const removed = own.filter(([, { write }]) => write.value === undefined);
    const set = own.filter(([, { write }]) => write.value !== undefined);
    const pairs = set.flatMap(([, { write }]) => [write.field, write.value ?? '']);
    return [
      {
        own: removed,
        command: () => client.hdel(keyOf(table), ...removed.map(([, each]) => each.write.field)),
      },
      { own: set, command: () => client.hset(keyOf(table), ...pairs) },
    ].flatMap(({ own, command }) => (own.length === 0 ? [] : [{ keys: own.map(([key]) => key), command }]));
  });
}

/** One command an owner and book. */
function entryParts({ client, keyOf, keepOf, now }: Target, batch: Batch): Part[] {
  const places = new Map<string, { keys: string[]; writes: EntryWrite[] }>();
  for (const [key, { write }] of batch) {
    if (!isEntry(write)) continue;
    const { keys, writes } = places.get(write.place) ?? { keys: [], writes: [] };
    places.set(write.place, { keys, writes });
    keys.push(key);
    writes.push(write);
  }
  return [...places.values()].flatMap(({ keys, writes }) => {
    const [first] = writes;
    if (first === undefined) return [];
    const command = () => writeEntries(client, keyOf, first, writes, keepOf(first.book), now);
    return [{ keys, command }];
  });
}
