/** The phonebook as handlers and events know it: the sources' persons in one book, which another replaces when a source changes. */

import { setTimeout } from 'node:timers/promises';
import { createBound } from '../bounds.ts';
import type { User } from '../directory.ts';
import type { Log } from '../log.ts';
import { type Book, makeBook } from './book.ts';
import type { Numbers } from './numbers.ts';
import type { Person, Phonebook, Source, SourceName } from './phonebook.ts';
import { inSlices } from './slices.ts';

/** What the phonebook is made of. */
export interface PhonebookOptions {
  /** The most trusted first. */
  readonly sources: readonly Source[];
  readonly numbers: Numbers;
  /** Whether a number is a user's extension: on the line it is anybody's claim, and names nobody here. */
  readonly isExtension: (number: string) => boolean;
  /** The groups of the directory whose users may see a source; one that is not named is everybody's. */
  readonly visibleTo: ReadonlyMap<SourceName, ReadonlySet<string>>;
  readonly log: Log;
}

/** A phonebook that knows nobody, for where calls are looked at without one. */
export const emptyPhonebook: Pick<Phonebook, 'byNumber'> = { byNumber: () => undefined };

const nothing = Object.freeze([]);
const empty: Book = { size: 0, owner: () => undefined, find: () => [] };
/** Numbers whose owner, or that they have none, is remembered: some hours of a large office. */
const remembered = 10_000;
/** A large phonebook is made while calls are already followed, milliseconds. */
const patience = () => setTimeout(1000, undefined, { ref: false });

/** Makes the phonebook, with nothing in it until it is started. */
export function createPhonebook(options: PhonebookOptions): Phonebook {
  const { sources, numbers, isExtension, visibleTo, log } = options;
  let book = empty;
  /** What was asked of this book; undefined for nobody's numbers, which are most. */
  const owners = new Map<string, Person | undefined>();
  const bound = createBound('phonebook_numbers', remembered, () => owners.size);
  let making: Promise<void> | undefined;
  let outdated = false;
  let started = false;
  let stopped = false;

  async function make(): Promise<void> {
    const began = performance.now();
    const next = await inSlices(
      makeBook({
        sources: new Map(sources.map((source) => [source.name, source.persons])),
        restricted: new Set(visibleTo.keys()),
        numbers,
      }),
      () => stopped,
    );
    if (next === undefined) return;
    book = next;
    owners.clear();
    log.info({ persons: next.size, ms: Math.round(performance.now() - began) }, 'phonebook is up to date');
  }

  async function makeAgain(): Promise<void> {
    try {
      while (outdated && !stopped) {
        outdated = false;
        await make();
      }
    } catch (error) {
      log.error({ err: error }, 'a defect: the phonebook could not be made, the old one stays in force');
    } finally {
      // At once: what is outdated by the next step is made again.
      making = undefined;
    }
  }

  /** Sees to it that the book holds what the sources have by now. */
  function renew(): Promise<void> {
    outdated = true;
    making ??= makeAgain();
    return making;
  }

  function mayUse({ groups }: Pick<User, 'groups'>): ReadonlySet<SourceName> {
    const seen = sources.filter(({ name }) => {
      const allowed = visibleTo.get(name);
      return allowed === undefined || [...allowed].some((group) => groups.has(group));
    });
    return new Set(seen.map((source) => source.name));
  }

  function byNumber(number: string): Person | undefined {
    if (number === '') return undefined;
    if (owners.has(number)) return owners.get(number);
    let owner: Person | undefined;
    for (const key of numbers.keys(number)) owner ??= isExtension(key) ? undefined : book.owner(key);
    // Forgotten together: to know the oldest one would cost more than to ask again.
    if (!bound.admits()) owners.clear();
    owners.set(number, owner);
    return owner;
  }

  return {
    bounds: [bound],
    get size() {
      return book.size;
    },
    find: ({ text, after }, asker) => book.find({ text, after, sources: mayUse(asker) }),
    byNumber,
    nameOf: (number) => byNumber(number)?.displayname,
    apply: () => nothing,
    async start() {
      for (const source of sources) {
        source.onChange(() => {
          // Until all have begun, one after the other has something new: that is one phonebook.
          if (started) void renew();
        });
      }
      const begun = Promise.all(sources.map((source) => source.start()));
      await Promise.race([begun, patience()]);
      started = true;
      await Promise.race([renew(), patience()]);
    },
    async stop() {
      stopped = true;
      await Promise.all(sources.map((source) => source.stop()));
      await making;
    },
  };
}
