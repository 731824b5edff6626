import type { AmiMessage } from './message.ts';

const colon = 58;
const space = 32;
const carriageReturn = 13;

// With Asterisk's own limit of 128 headers for actions (manager.h AST_MAX_MANHEADERS) most events stay under 70; what
// comes after the last of these is still found, by a search from there.
const indexed = 256;

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
    const at = this.#find(text, name);
    return at < 0 ? '' : valueAfter(text, at + name.length, lineEnd(text, at));
  }

  has(name: string): boolean {
    return this.#find(this.#decoded(), name) >= 0;
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

  /** Start of the first line with that name; -1 where there is none. */
  #find(text: string, name: string): number {
    const first = name.charCodeAt(0);
    const size = name.length;
    const lines = this.#lines;
    for (let i = 0; i < this.#known; i++) {
      const at = lines[i] ?? 0;
      if (text.charCodeAt(at + size) === colon && text.charCodeAt(at) === first && text.startsWith(name, at))
        return at;
    }
    let last = lines[this.#known - 1] ?? 0;
    for (;;) {
      const at = nextLine(text, last);
      if (at < 0) return -1;
      if (this.#known < indexed) lines[this.#known++] = at;
      if (text.charCodeAt(at + size) === colon && text.startsWith(name, at)) return at;
      last = at;
    }
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

/** Latin-1 as it was read into UTF-8 as it was sent. A name that Asterisk cut inside a character ends in U+FFFD. */
function utf8(latin1: string): string {
  for (let i = 0; i < latin1.length; i++) {
    if (latin1.charCodeAt(i) > 0x7f) return Buffer.from(latin1, 'latin1').toString('utf8');
  }
  return latin1;
}
