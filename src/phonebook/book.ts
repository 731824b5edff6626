/**
 * The phonebook in memory: sorted by name, found by any part of it. Pure, and immutable once it is made.
 *
 * Each person has one text to look into, and a signature: a bit for each pair of characters in that text. Who has not all the bits of what
 * is looked for cannot have the text, so that few texts are looked into, whatever the query is. 64 bytes a person, no postings to keep.
 */

import { merge, stepsPerYield } from './merge.ts';
import type { Numbers } from './numbers.ts';
import type { Found, Person, Query, SourceName } from './phonebook.ts';
import { clean, fold } from './text.ts';

/** One state of the phonebook. */
export interface Book {
  readonly size: number;
  /** Those of the given sources who match. */
  find(query: Query & { readonly sources: ReadonlySet<SourceName> }): Iterable<Found>;
  /** By `Numbers.key`; of the sources that everybody may see. */
  owner(key: string): Person | undefined;
}

/** What a book is made of. */
export interface BookOptions {
  /** What each source has, the most trusted first. */
  readonly sources: ReadonlyMap<SourceName, readonly Person[]>;
  /** Sources that not everybody may see: they stay by themselves, nothing of them gets into others' entries or names callers. */
  readonly restricted: ReadonlySet<SourceName>;
  readonly numbers: Numbers;
}

/** 512 bits a person: a sixth of them set for a usual one. */
const words = 16;

/** Everything a person can be found by, folded. Numbers as their keys, each with `|` in front. */
function textOf({ firstname, surname, displayname, organisation, email, numbers, labels }: Person): string {
  const name = fold(displayname);
  const parts = [name];
  for (const each of [firstname, surname]) {
    const folded = fold(each);
    if (!name.includes(folded)) parts.push(folded);
  }
  for (const each of [organisation, email, ...labels]) if (each !== '') parts.push(fold(each));
  // A line end is in no query: nothing is found across two fields.
  const text = parts.join('\n');
  const open = numbers.filter((each) => !each.isPrivate).map((each) => `|${each.key}`);
  return [text, ...open].join('\n');
}

/** Calls back with the word and the bit of each pair of characters. */
function eachBit(text: string, take: (word: number, bit: number) => void): void {
  for (let at = 1; at < text.length; at++) {
    const pair = Math.imul(text.charCodeAt(at - 1) * 0x10001 + text.charCodeAt(at), 0x9e3779b1) >>> 23;
    take(pair >>> 5, 1 << (pair & 31));
  }
}

interface Sorted {
  readonly source: SourceName;
  readonly person: Person;
  readonly name: string;
}

/** Sorts by name and id, a few at a time: one sort of a hundred thousand would keep calls waiting. */
function* sorted(
  parts: Iterable<readonly [SourceName, readonly Person[]]>,
): Generator<void, readonly Sorted[]> {
  const buckets = new Map<string, Sorted[]>();
  for (const [source, persons] of parts) {
    for (const [index, person] of persons.entries()) {
      if (index % stepsPerYield === 0) yield;
      const name = fold(person.displayname);
      const start = name.slice(0, 2);
      const bucket = buckets.get(start);
      if (bucket === undefined) buckets.set(start, [{ source, person, name }]);
      else bucket.push({ source, person, name });
    }
  }
  const result: Sorted[] = [];
  for (const start of [...buckets.keys()].sort()) {
    yield;
    for (const item of (buckets.get(start) ?? []).sort(byPlace)) result.push(item);
  }
  return result;
}

interface Place {
  readonly name: string;
  readonly person: { readonly id: string };
}

function byPlace(a: Place, b: Place): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.person.id < b.person.id ? -1 : a.person.id > b.person.id ? 1 : 0;
}

/** Makes a book; to be driven to its end, at leisure. */
export function* makeBook(options: BookOptions): Generator<void, Book> {
  const { sources, restricted, numbers } = options;
  const open = [...sources].filter(([name]) => !restricted.has(name));
  const common = yield* merge(open.map(([, list]) => list));
  // Who may see one of the open sources, may see all.
  const parts: (readonly [SourceName, readonly Person[]])[] = [[open[0]?.[0] ?? 'directory', common.persons]];
  for (const [source, list] of sources) {
    if (restricted.has(source)) parts.push([source, (yield* merge([list])).persons]);
  }
  const order = yield* sorted(parts);
  // Not `order` itself: what is looked up later would keep it.
  const count = order.length;
  const texts: string[] = [];
  // By word, then by person: a look at one word of everybody reads memory in order.
  const signatures = new Int32Array(words * count);
  for (const [index, { person }] of order.entries()) {
    if (index % stepsPerYield === 0) yield;
    const text = textOf(person);
    texts.push(text);
    eachBit(text, (word, bit) => {
      const at = word * count + index;
      signatures[at] = (signatures[at] ?? 0) | bit;
    });
  }
  const persons = order.map((each) => each.person);
  const from = order.map((each) => each.source);

  /** The index of the first person behind a place. */
  function behind(place: string): number {
    const split = place.lastIndexOf('|');
    const asked = { name: place.slice(0, split), person: { id: place.slice(split + 1) } };
    let [low, high] = [0, persons.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const person = persons[middle];
      if (person !== undefined && byPlace({ name: fold(person.displayname), person }, asked) <= 0)
        low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    size: persons.length,
    owner: common.owner,
    *find(query) {
      const looks = lookFor(query.text, numbers);
      const start = query.after === undefined ? 0 : behind(query.after);
      // Where each way of meaning the query is found next; the nearest one is told.
      const places = looks.map((look) => seek(look, start));
      for (let index = Math.min(...places); index < persons.length; index = Math.min(...places)) {
        const [person, source] = [persons[index], from[index]];
        if (person !== undefined && source !== undefined && query.sources.has(source)) {
          yield { person, place: `${fold(person.displayname)}|${person.id}` };
        }
        for (const [way, look] of looks.entries())
          if (places[way] === index) places[way] = seek(look, index + 1);
      }
    },
  };

  /** The first person from `start` on who fits, else how many there are. Everybody is looked at: plain loops, nothing allocated. */
  function seek({ parts, masks }: Look, start: number): number {
    candidates: for (let index = start; index < count; index++) {
      for (let at = 0; at < masks.length; at += 2) {
        const bits = masks[at + 1] ?? 0;
        if (((signatures[(masks[at] ?? 0) * count + index] ?? 0) & bits) !== bits) continue candidates;
      }
      const text = texts[index] ?? '';
      for (let at = 0; at < parts.length; at++) if (!text.includes(parts[at] ?? '')) continue candidates;
      return index;
    }
    return count;
  }
}

/** What one text must hold, all of it, and the bits that it has then: word, bits, word, bits, those with most bits first. */
interface Look {
  readonly parts: readonly string[];
  readonly masks: Int32Array;
}

const everybody: Look = { parts: [], masks: new Int32Array() };

/** The ways in which a query can be meant. */
function lookFor(typed: string, numbers: Numbers): readonly Look[] {
  const text = fold(clean(typed));
  if (text === '') return [everybody];
  const parts = numbers.parts(text);
  // The words of what is no number in any order: "weber tho" finds Thomas Weber.
  const ways =
    parts.length === 0
      ? [[...new Set(text.split(' '))]]
      : [...new Set([text, ...parts])].map((part) => [part]);
  return ways.map((way) => {
    const mask = new Map<number, number>();
    for (const part of way) eachBit(part, (word, bit) => mask.set(word, (mask.get(word) ?? 0) | bit));
    const sorted = [...mask].sort(([, a], [, b]) => countBits(b) - countBits(a));
    // The longest part is the least likely one.
    return { parts: way.toSorted((a, b) => b.length - a.length), masks: Int32Array.from(sorted.flat()) };
  });
}

function countBits(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}
