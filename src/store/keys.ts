/** Every Redis key there is. `docs/operating.md` lists them. */

/**
 * The tables, each a hash below the prefix.
 *
 * - `sessions`: full JID → session with its subscriptions (`value.ts`).
 * - `watches`: hosted contact, blank, watcher → `1`: who may see which telephone and asked to.
 * - `facts`: name → text: what else a bridge has to know of the one before it.
 */
export const tables = ['sessions', 'watches', 'facts'] as const;
export type Table = (typeof tables)[number];

/** Names the keys below one prefix. */
export type Keys = (table: Table) => string;

/** `prefix` is put in front of every key as it is, e.g. `offhook:`. */
export function createKeys(prefix: string): Keys {
  return (table) => `${prefix}${table}`;
}
