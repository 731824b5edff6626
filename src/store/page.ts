/** Which entries of a book are asked for, whatever holds them. */

import type { BareJid } from '../protocol/jid.ts';
import type { Keep, Ledger, LedgerEntry, Page } from './store.ts';

/** An entry's place in its book. */
export interface Placed {
  readonly id: string;
  readonly at: number;
}

/** The order of a book, oldest first; entries of one moment in the order of their ids, as Redis has it. */
export function inOrder(a: Placed, b: Placed): number {
  return a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The entries of a page, newest first, out of all in {@link inOrder}. */
export function pageOf<T extends Placed>(entries: readonly T[], { limit, before, after }: Page): T[] {
  const end = before === undefined ? entries.length : Math.max(0, indexOf(entries, before));
  const begin = after === undefined ? 0 : indexOf(entries, after) + 1;
  const part = entries.slice(begin, Math.max(begin, end));
  return (after === undefined ? part.slice(-limit) : part.slice(0, limit)).reverse();
}

function indexOf(entries: readonly Placed[], id: string): number {
  return entries.findIndex((entry) => entry.id === id);
}

/** Entries before this moment are too old; without `keep` none is. */
export function oldest(keep: Keep | undefined, now: number): number {
  return keep === undefined ? 0 : Math.max(0, now - keep.ageMs);
}

/** Entries that are read at a time where the first ones do not do. */
const pageSize = 500;

/**
 * As many as are wanted of those that `take` makes something of, newest first, in as many readings as that needs: fewer of them are the end
 * of the book. Rejects as the book does.
 */
export async function readPicked<T>(
  book: Pick<Ledger, 'read'>,
  owner: BareJid,
  { limit, before, after }: Page,
  take: (entry: LedgerEntry) => T | undefined,
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let wanted = limit; ; wanted = pageSize) {
    const read = await book.read(owner, { limit: wanted, before, after });
    const some = read.flatMap((entry) => take(entry) ?? []);
    // Towards newer ones each page is newer than the one before it.
    if (after === undefined) found.push(...some);
    else found.unshift(...some);
    const enough = found.length >= limit || read.length < wanted;
    if (enough) return after === undefined ? found.slice(0, limit) : found.slice(-limit);
    if (after === undefined) before = read.at(-1)?.id;
    else after = read[0]?.id;
  }
}
