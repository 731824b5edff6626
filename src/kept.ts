/**
 * Things that clients were told of, for the next bridge to know: each a fact of the store, under names that begin alike. In memory as well, so
 * that looking one up costs nothing, and a store that was away gets what it may have lost. Until the server has confirmed what was told of one, its
 * fact says so: an end is in the store as long as clients may not have heard it.
 */

import { z } from 'zod';
import { type Bounded, createBound } from './bounds.ts';
import type { Store } from './store/store.ts';
import { createUnconfirmed } from './unconfirmed.ts';

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

/** One thing that was told of and has not ended. */
export interface Remembered<T> {
  readonly id: string;
  readonly thing: T;
  /** Clients have heard it; otherwise they may, or may have heard of its end. */
  readonly sure: boolean;
}

/** Things by their ids. */
export interface Kept<T> extends Iterable<Remembered<T>>, Bounded {
  has(id: string): boolean;
  /** How a thing was told last, also one whose end was told and may not have arrived. */
  get(id: string): T | undefined;
  /** It was told how a thing is: keeps it, in the place of an earlier one of this id; one too many is not kept. `heard`: by anybody. */
  set(id: string, thing: T, heard: boolean): void;
  /** The end of a thing was told; unknown ones are ignored. */
  end(id: string, heard: boolean): void;
  /** The server is asked what has arrived: returns what to call when it has everything that was told until now. */
  ask(): () => void;
  /**
   * Takes in what an earlier bridge left, and returns that; of what is here already, this counts. Called again, it returns nothing. Rejects as the
   * store does.
   */
  load(): Promise<readonly Remembered<T>[]>;
}

/** Makes it, with nothing in it. */
export function createKept<T>({ store, prefix, of, max, schema }: KeptOptions<T>): Kept<T> {
  const things = new Map<string, Remembered<T>>();
  /** Those whose ends were told, and may not have arrived. */
  const ended = new Set<string>();
  const unconfirmed = createUnconfirmed<string>();
  const bound = createBound(of, max, () => things.size);
  const row = z.tuple([z.boolean(), schema]);
  let loaded = false;
  store.onState(({ usable }) => {
    if (usable && loaded) for (const one of things.values()) save(one, false);
  });

  function save({ id, thing, sure }: Remembered<T>, isNew: boolean): void {
    store.saveFact(prefix + id, JSON.stringify([sure, thing]), isNew);
  }

  function read(fact: string): [sure: boolean, thing: T] | undefined {
    try {
      return row.safeParse(JSON.parse(fact)).data;
    } catch {
      return undefined; // Not ours, or of another version: whoever reads deletes it.
    }
  }

  function put(one: Remembered<T>): void {
    const before = things.get(one.id);
    things.set(one.id, one);
    if (one.sure) unconfirmed.delete(one.id);
    else unconfirmed.add(one.id);
    // Before the first look nobody knows what the store has.
    if (before?.sure !== one.sure || before.thing !== one.thing) save(one, before === undefined && loaded);
  }

  function forget(id: string): void {
    things.delete(id);
    ended.delete(id);
    unconfirmed.delete(id);
    store.deleteFact(prefix + id);
  }

  function settle(ids: readonly string[]): void {
    for (const id of ids) {
      const one = things.get(id);
      if (ended.has(id)) forget(id);
      else if (one !== undefined) put({ ...one, sure: true });
    }
  }

  return {
    bounds: [bound],
    *[Symbol.iterator]() {
      for (const one of things.values()) if (!ended.has(one.id)) yield one;
    },
    has: (id) => things.has(id) && !ended.has(id),
    get: (id) => things.get(id)?.thing,
    set(id, thing, heard) {
      const before = things.get(id);
      if (before === undefined && things.size >= max) {
        // What has ended makes room: of that, the least is lost.
        const [oldest] = ended;
        if (oldest !== undefined) forget(oldest);
      }
      if (before === undefined && !bound.admits()) return;
      ended.delete(id);
      // Nobody's news: there is nothing that could be lost.
      put({ id, thing, sure: !heard && before?.sure !== false });
    },
    end(id, heard) {
      const one = things.get(id);
      if (one === undefined) return;
      if (!heard && one.sure) return forget(id);
      ended.add(id);
      put({ ...one, sure: false });
    },
    ask() {
      const arrived = unconfirmed.ask();
      return () => settle(arrived());
    },
    async load() {
      const facts = await store.loadFacts();
      // Once: what has ended meanwhile may be in what was read before.
      if (loaded) return [];
      loaded = true;
      const found: Remembered<T>[] = [];
      for (const [name, fact] of facts) {
        const id = name.slice(prefix.length);
        if (!name.startsWith(prefix) || things.has(id)) continue;
        const parts = read(fact);
        if (parts === undefined || !bound.admits()) store.deleteFact(name);
        else {
          const one = { id, sure: parts[0], thing: parts[1] };
          things.set(id, one);
          found.push(one);
        }
      }
      return found;
    },
  };
}
