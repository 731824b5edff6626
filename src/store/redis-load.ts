/** Reads a whole table back at start: a hundred thousand entries in a second or two, without holding Redis up. */

import type { Redis } from 'ioredis';
import type { Log } from '../log.ts';

/** Fields that HSCAN is asked for at a time. */
const scanCount = 2000;
/** Entries of a table; nobody has so many sessions, watchers, calls or facts, but perhaps another program the same key. */
const mostEntries = 1_000_000;

/** Reads an entry; undefined where the value is none of this version's. */
export type Decode<T> = (field: string, value: string) => T | undefined;

/**
 * The entries of a hash by field. Values that cannot be read (a newer bridge's, somebody else's) are left where they are
 * and told in one log line. Rejects with the client's error, and where there are more than {@link mostEntries}.
 */
export async function readTable<T>(
  client: Pick<Redis, 'hscan'>,
  key: string,
  decode: Decode<T>,
  log: Log,
): Promise<Map<string, T>> {
  const entries = new Map<string, T>();
  /** Of whatever kind: nothing ends the reading of what grows as fast as it is read. */
  let seen = 0;
  let skipped = 0;
  let example = '';
  let cursor = '0';
  do {
    const [next, items] = await client.hscan(key, cursor, 'COUNT', scanCount);
    cursor = next;
    seen += items.length / 2;
    if (seen > mostEntries) throw new Error(`${key} has more than ${mostEntries} entries`);
    for (let at = 0; at + 1 < items.length; at += 2) {
      const [field = '', value = ''] = [items[at], items[at + 1]];
      const entry = decode(field, value);
      if (entry !== undefined) entries.set(field, entry);
      else {
        skipped += 1;
        example ||= field;
      }
    }
  } while (cursor !== '0');
  if (skipped > 0) log.warn({ key, skipped, example }, 'store: skipped values that this version cannot read');
  return entries;
}
