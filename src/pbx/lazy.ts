import type { AmiMessage } from './message.ts';

const colon = 58;
const space = 32;
const carriageReturn = 13;

// Headers that are found by name. Asterisk's own limit for actions is 128 (manager.h AST_MAX_MANHEADERS); its events have
// fewer than 70, and as many more as there are `channelvars` in manager.conf.
const indexed = 1024;

/**
 * An AMI message over the reader's own bytes. Nothing is decoded until a header is asked for; then the message becomes
 * one Latin-1 string (a plain copy) of which values are slices, and only values with bytes over 0x7F are decoded as UTF-8.
 *
 * Valid during the call it is handed to, no longer: bytes and object belong to the reader. {@link copy} makes one that lasts.
 */
export class LazyMessage implements AmiMessage {
  event = '';
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #text: string | undefined;
  /** Starts of the lines seen so far, as places in the text; grows as headers are looked for. */
  readonly #lines = new Int32Array(indexed);
  #known = 0;

  /** Points it at the message in `bytes` from `start` to `end` (the blank line excluded). */
  reset(event: string, bytes: Buffer, start: number, end: number): this {
    this.event = event;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#text = undefined;
    return this;
  }

  get(name: string): string {
    const text = this.#decoded();
    const line = this.#find(text, name, indexed);
    return line < 0 ? '' : this.#value(text, line, name.length);
  }

  early(name: string): string {
    const text = this.#decoded();
    const line = this.#find(text, name, 4);
    return line < 0 ? '' : this.#value(text, line, name.length);
  }

  has(name: string): boolean {
    return this.#find(this.#decoded(), name, indexed) >= 0;
  }

  *entries(): Iterable<readonly [name: string, value: string]> {
    const text = this.#decoded();
    for (let at = 0; at >= 0 && at < text.length; at = nextLine(text, at)) {
      const end = lineEnd(text, at);
      const split = text.indexOf(':', at);
      if (split > at && split < end) yield [utf8(text.slice(at, split)), valueAfter(text, split, end)];
    }
  }

  /** The same message over bytes of its own, for whoever must keep it. */
  copy(): AmiMessage {
    const bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#end));
    return new LazyMessage().reset(this.event, bytes, 0, bytes.length);
  }

  #decoded(): string {
    if (this.#text === undefined) {
      this.#text = this.#bytes.toString('latin1', this.#start, this.#end);
      this.#lines[0] = 0;
      this.#known = 1;
    }
    return this.#text;
  }

  /** Number of the first line with that name among the first `limit`; -1 where there is none. */
  #find(text: string, name: string, limit: number): number {
    const first = name.charCodeAt(0);
    const size = name.length;
    for (let line = 0; line < limit && (line < this.#known || this.#discover(text)); line++) {
      const at = this.#lines[line] ?? 0;
      if (text.charCodeAt(at + size) === colon && text.charCodeAt(at) === first && text.startsWith(name, at))
        return line;
    }
    return -1;
  }

  /** Notes where one more line begins; false where there is none, or no room. */
  #discover(text: string): boolean {
    if (this.#known === indexed) return false;
    const at = nextLine(text, this.#lines[this.#known - 1] ?? 0);
    if (at < 0) return false;
    this.#lines[this.#known++] = at;
    return true;
  }

  #value(text: string, line: number, nameSize: number): string {
    const at = this.#lines[line] ?? 0;
    // Where the next line begins is known, or will be asked next: headers are read in their order.
    const next = line + 1 < this.#known || this.#discover(text) ? (this.#lines[line + 1] ?? 0) : -1;
    const end =
      next < 0 ? lineEnd(text, at) : text.charCodeAt(next - 2) === carriageReturn ? next - 2 : next - 1;
    return valueAfter(text, at + nameSize, end);
  }
}

function nextLine(text: string, at: number): number {
  const feed = text.indexOf('\n', at);
  return feed < 0 || feed + 1 === text.length ? -1 : feed + 1;
}

function lineEnd(text: string, at: number): number {
  const feed = text.indexOf('\n', at);
  if (feed < 0) return text.charCodeAt(text.length - 1) === carriageReturn ? text.length - 1 : text.length;
  return text.charCodeAt(feed - 1) === carriageReturn ? feed - 1 : feed;
}

/** What follows the colon and one blank; further blanks belong to the value (Asterisk keeps those of caller names). */
function valueAfter(text: string, split: number, end: number): string {
  const from = text.charCodeAt(split + 1) === space ? split + 2 : split + 1;
  return from >= end ? '' : utf8(text.slice(from, end));
}

// V8 makes longer slices views that keep the whole message in memory (String::kSliceMinLength).
const viewed = 13;
// Nothing that repeats is longer: names of channels end at 79 bytes, ids are shorter.
const longest = 128;
const remembered = 4096;

// The same names and ids come with every event of a call: each is decoded once, and is one string for all who keep it.
let recent = new Map<string, string>();
let older = new Map<string, string>();

/** Latin-1 as it was read into UTF-8 as it was sent. A name that Asterisk cut inside a character ends in U+FFFD. */
function utf8(latin1: string): string {
  if (latin1.length < viewed && isAscii(latin1)) return latin1;
  return recent.get(latin1) ?? remember(latin1);
}

function remember(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  const key = bytes.toString('latin1');
  const text = older.get(latin1) ?? (isAscii(latin1) ? key : bytes.toString('utf8'));
  if (latin1.length > longest) return text;
  if (recent.size >= remembered) {
    older = recent;
    recent = new Map();
  }
  recent.set(key, text);
  return text;
}

function isAscii(latin1: string): boolean {
  for (let i = 0; i < latin1.length; i++) if (latin1.charCodeAt(i) > 0x7f) return false;
  return true;
}
