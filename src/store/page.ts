/** Which entries of a book are asked for, whatever holds them. */

import type { Keep, Page } from './store.ts';

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
