/** Books in this process's memory. Bounded by what is kept for each owner. */

import type { BareJid } from '../protocol/jid.ts';
import { inOrder, oldest, pageOf } from './page.ts';
import type { Keep, Ledger, LedgerEntry } from './store.ts';

/** An owner's entries, by id. */
export type Shelf = Map<BareJid, Map<string, LedgerEntry>>;

/** A book on a shelf. */
export function createMemoryLedger(shelf: Shelf, keep: Keep | undefined, now: () => number): Ledger {
  const inBook = (owner: BareJid) => [...(shelf.get(owner)?.values() ?? [])].sort(inOrder);

  function trim(owner: BareJid): LedgerEntry[] {
    const all = inBook(owner);
    if (keep === undefined) return all;
    const since = oldest(keep, now());
    const kept = all.filter(({ at }) => at >= since).slice(-keep.count);
    if (kept.length < all.length) shelf.set(owner, new Map(kept.map((entry) => [entry.id, entry])));
    if (kept.length === 0) shelf.delete(owner);
    return kept;
  }

  return {
    append(owner, entry) {
      const entries = shelf.get(owner) ?? new Map<string, LedgerEntry>();
      if (entries.has(entry.id)) return;
      shelf.set(owner, entries.set(entry.id, entry));
      if (keep !== undefined && entries.size > keep.count) trim(owner);
    },
    replace(owner, id, text) {
      const entry = shelf.get(owner)?.get(id);
      if (entry !== undefined) shelf.get(owner)?.set(id, { ...entry, text });
    },
    read: async (owner, page) => pageOf(trim(owner), page),
    get: async (owner, id) => shelf.get(owner)?.get(id),
    async erase(owner) {
      const count = shelf.get(owner)?.size ?? 0;
      shelf.delete(owner);
      return count;
    },
    owners: async () => [...shelf.keys()],
  };
}
