/** Every Redis key there is. `docs/operating.md` lists them. */

import type { BareJid } from '../protocol/jid.ts';
import type { BookName } from './store.ts';

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
 * A book (`store.ts`) is a set of owners and, for each of them, two keys:
 *
 * - `owners:journal`: the bare JIDs of those who have entries.
 * - `entries:journal:tweber@example.org`: hash, id → text.
 * - `order:journal:tweber@example.org`: sorted set of the ids by time.
 */
export type LedgerKey = `owners:${BookName}` | `${'entries' | 'order'}:${BookName}:${BareJid}`;

/**
 * Names the keys below one prefix: the tables; the books; `mark`, a hash with one field, `bridge` → a word of the bridge that runs, by which it
 * knows that this is still the store that it wrote to; and `audit`, a stream of entries with one field `entry`, JSON.
 */
export type Keys = (name: Table | LedgerKey | 'mark' | 'audit') => string;

/** `prefix` is put in front of every key as it is, e.g. `offhook:`. */
export function createKeys(prefix: string): Keys {
  return (name) => `${prefix}${name}`;
}
