/**
 * Things that clients were told of, for the next bridge to know: each a fact of the store, under names that begin alike. In memory as well, so
 * that looking one up costs nothing, and a store that was away gets what it may have lost.
 */

import type { z } from 'zod';
import { type Bounded, createBound } from './bounds.ts';
import type { Store } from './store/store.ts';

/** What {@link createKept} needs. */
export interface KeptOptions<T> {
  readonly store: Pick<Store, 'loadFacts' | 'saveFact' | 'deleteFact' | 'onState'>;
  /** What the names of these facts begin with. */
  readonly prefix: string;
  /** Most things at a time, and what they are; see `Bound`. */
  readonly of: string;
  readonly max: number;
  /** What is one, of all that a store may hold. */
  readonly schema: z.ZodType<T>;
}

/** Things by their ids. */
export interface Kept<T> extends Iterable<readonly [id: string, thing: T]>, Bounded {
  readonly size: number;
  has(id: string): boolean;
  /** Keeps a thing, in the place of an earlier one of this id; one too many is not kept. */
  set(id: string, thing: T): void;
  /** Forgets a thing; unknown ones are ignored. */
  delete(id: string): void;
  /**
   * Takes in what an earlier bridge left, and returns that; of what is here already, this counts. Called again, it returns nothing. Rejects as the
   * store does.
   */
  load(): Promise<readonly (readonly [id: string, thing: T])[]>;
}

/** Makes it, with nothing in it. */
export function createKept<T>({ store, prefix, of, max, schema }: KeptOptions<T>): Kept<T> {
  const things = new Map<string, T>();
  const bound = createBound(of, max, () => things.size);
  let loaded = false;
  store.onState(({ usable }) => {
    if (usable && loaded) for (const [id, thing] of things) save(id, thing, false);
  });

  function save(id: string, thing: T, isNew: boolean): void {
    store.saveFact(prefix + id, JSON.stringify(thing), isNew);
  }

  function read(fact: string): T | undefined {
    try {
      return schema.safeParse(JSON.parse(fact)).data;
    } catch {
      return undefined; // Not ours, or of another version: whoever reads deletes it.
    }
  }

  return {
    bounds: [bound],
    get size() {
      return things.size;
    },
    [Symbol.iterator]: () => things[Symbol.iterator](),
    has: (id) => things.has(id),
    set(id, thing) {
      const isNew = !things.has(id);
      if (isNew && !bound.admits()) return;
      things.set(id, thing);
      // Before the first look nobody knows what the store has.
      save(id, thing, isNew && loaded);
    },
    delete(id) {
      if (things.delete(id)) store.deleteFact(prefix + id);
    },
    async load() {
      const facts = await store.loadFacts();
      // Once: what has ended meanwhile may be in what was read before.
      if (loaded) return [];
      loaded = true;
      const found: [string, T][] = [];
      for (const [name, fact] of facts) {
        const id = name.slice(prefix.length);
        if (!name.startsWith(prefix) || things.has(id)) continue;
        const thing = read(fact);
        if (thing === undefined || !bound.admits()) store.deleteFact(name);
        else {
          things.set(id, thing);
          found.push([id, thing]);
        }
      }
      return found;
    },
  };
}
