/** What reading a file brought: persons, and what is wrong with the rest. */

import type { Numbers } from './numbers.ts';
import { type Draft, makePerson } from './person.ts';
import type { Person } from './phonebook.ts';
import { createShare } from './sharing.ts';

/** Something that could not be used, and where. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** A file as far as it could be read. */
export interface Reading {
  readonly persons: readonly Person[];
  /** The first ones; {@link Reading.wrong} counts all. */
  readonly mistakes: readonly Mistake[];
  readonly wrong: number;
}

/** The file cannot be used at all; the message says why, and what to do. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** More mistakes than this are counted, not listed. */
const listedMistakes = 50;

/** What reading a file needs. */
export interface ReadingOptions {
  /** How many persons are taken; further ones count as mistakes. */
  readonly most: number;
  readonly key: Numbers['key'];
  /** Persons of an earlier reading, which stand for themselves where nothing has changed. */
  readonly earlier?: readonly Person[];
}

/** Gathers a {@link Reading}. */
export interface Gatherer {
  add(line: number, draft: Draft): void;
  wrong(line: number, text: string): void;
  readonly reading: Reading;
}

/** Begins to; to be driven to its end. */
export function* createGatherer({ most, key, earlier = [] }: ReadingOptions): Generator<void, Gatherer> {
  const share = yield* createShare(earlier);
  const persons: Person[] = [];
  const mistakes: Mistake[] = [];
  let wrong = 0;
  function note(line: number, text: string): void {
    wrong += 1;
    if (mistakes.length < listedMistakes) mistakes.push({ line, text });
  }
  return {
    add(line, draft) {
      if (persons.length >= most)
        return note(line, `there are more than ${most} entries (PHONEBOOK_MAX_ENTRIES)`);
      const made = makePerson('file', draft, key);
      if (typeof made === 'string') note(line, made);
      else persons.push(share(made));
    },
    wrong: note,
    get reading() {
      return { persons, mistakes: mistakes.toSorted((a, b) => a.line - b.line), wrong };
    },
  };
}

/** The lines of a text with their numbers, from 1; whatever ends them. */
export function* linesOf(text: string): Generator<readonly [line: number, text: string]> {
  const end = text.includes('\n') ? '\n' : '\r';
  for (let [at, line] = [0, 1]; at < text.length; line++) {
    const found = text.indexOf(end, at);
    const next = found < 0 ? text.length : found;
    const whole = text.slice(at, next);
    yield [line, whole.endsWith('\r') ? whole.slice(0, -1) : whole];
    at = next + 1;
  }
}

/**
 * The text of a file: UTF-8, UTF-16 where a byte order mark says so, and Windows-1252 for what is neither, which is how spreadsheets of the
 * West write without asking.
 */
export function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // COMPAT: the decoder of some versions of Node.js takes Windows-1252 for Latin-1.
    const text = new TextDecoder('latin1').decode(bytes);
    return text.replace(/[\x80-\x9f]/g, (control) => windows.charAt(control.charCodeAt(0) - 0x80));
  }
}

/** What Windows-1252 has where Latin-1 has control characters. */
const windows = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
