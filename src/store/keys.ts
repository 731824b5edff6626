/** Every Redis key there is. `docs/operating.md` lists them. */

/**
 * The tables, each a hash below the prefix.
 *
 * - `sessions`: full JID → session with its subscriptions (`value.ts`).
 * - `watches`: hosted contact, blank, watcher → `1`: who may see which telephone and asked to.
 * - `calls`: channel → what clients were told of it, for the next bridge; gone when its end was told.
 * - `facts`: name → text: what else a bridge has to know of the one before it.
 */
export const tables = ['sessions', 'watches', 'calls', 'facts'] as const;
export type Table = (typeof tables)[number];

/**
 * Names the keys below one prefix: the tables; `mark`, a hash with one field, `bridge` → a word of the bridge that runs, by which it knows
 * that this is still the store that it wrote to; and `audit`, a stream of entries with one field `entry`, JSON.
 */
export type Keys = (name: Table | 'mark' | 'audit') => string;

/** `prefix` is put in front of every key as it is, e.g. `offhook:`. */
export function createKeys(prefix: string): Keys {
  return (name) => `${prefix}${name}`;
}
