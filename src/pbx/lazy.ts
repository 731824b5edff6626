import type { Block } from './block.ts';
import { headers } from './headers.ts';
import { colon, indexOfByte, lineFeed, valueEnd, valueStart, viewOf } from './lines.ts';
import type { AmiMessage } from './message.ts';
import { textOf } from './texts.ts';

/** Which header was found, and which was asked for, after which the last time, by number: messages of a kind are alike. */
interface Order {
  readonly found: number[];
  readonly asked: number[];
}

/** By the event's name: as many as events are wanted. */
const orders = new Map<string, Order>();

function orderOf(event: string): Order {
  let order = orders.get(event);
  if (order === undefined) {
    order = { found: [], asked: [] };
    orders.set(event, order);
  }
  return order;
}

const eventHeader = headers.add('Event');

/** Messages are counted up to this; then counting begins anew. */
const mostMessages = 0x7fffffff;

/**
 * An AMI message over the reader's own bytes. Its lines are recognized one after the other, as far as headers are asked for and each
 * once; values become strings when they are asked for.
 *
 * Valid during the call it is handed to, no longer: bytes and object belong to the reader. {@link copy} makes one that lasts.
 */
export class LazyMessage implements AmiMessage {
  event = '';
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #feed = 0;
  #end = 0;
  /** Where the first line begins that was not looked at, and how many were. */
  #next = 0;
  #line = 0;
  /** Lines of known headers, each counted once, that were looked at by {@link LazyMessage.#lookAtLine}. */
  #recognized = 0;
  #found = 0;
  #asked = 0;
  #order = orderOf('');
  /** Headers that the lines are recognized by. */
  #known = 0;
  /** By number of the header: the message in which it was last found, the line there, and where its value lies. */
  #seen = new Int32Array(0);
  #lines = new Int32Array(0);
  #froms = new Int32Array(0);
  #tos = new Int32Array(0);
  #message = 0;
  /** Blocks whose lines were read by {@link block} and passed over here. */
  readonly #blocks: Pick<Block<unknown>, 'holds' | 'valueIn'>[] = [];
  readonly #values: (readonly string[])[] = [];
  #passed = 0;
  /** Every line is looked at: a header was asked for of which a block is made. */
  #plain = false;

  /**
   * Points it at the message in `bytes` from `start` to `end` (the blank line excluded), whose first line ends with the line feed at `feed`, and
   * bears the event's name unless that is empty; `view` is of the same bytes.
   */
  reset(event: string, bytes: Buffer, view: DataView, start: number, feed: number, end: number): this {
    if (event !== this.event) this.#order = orderOf(event);
    this.event = event;
    this.#bytes = bytes;
    this.#view = view;
    this.#start = start;
    this.#feed = feed;
    this.#end = end;
    this.#plain = false;
    this.#rewind();
    return this;
  }

  get(name: string): string {
    const header = this.#numberOf(name);
    for (let n = 0; n < this.#passed; n++) {
      const block = this.#blocks[n];
      if (block?.holds(header) !== true) continue;
      const value = block.valueIn(this.#values[n] ?? [], header);
      if (value !== undefined) return value;
      this.#lookAtAll();
    }
    if (!this.#seek(header)) return '';
    return textOf(this.#bytes, this.#view, this.#froms[header] ?? 0, this.#tos[header] ?? 0);
  }

  block<T>(block: Block<T>): T | undefined {
    const { first } = block;
    if (this.#known !== headers.texts.length) this.#rewind();
    this.#asked = first;
    if (
      !this.#find(first) ||
      this.#plain ||
      this.#found !== first ||
      this.#line !== (this.#lines[first] ?? 0) + 1
    )
      return undefined;
    // Of repeated headers the first one counts: none of the block's may stand before it. None can where every line so far was the first of a block.
    if (this.#recognized > this.#passed + 1 && block.isIn(this.#seen, this.#message)) return undefined;
    const from = this.#froms[first] ?? 0;
    const made = block.read(this.#bytes, this.#view, from, this.#tos[first] ?? 0, this.#end);
    if (made === undefined) return undefined;
    this.#next = indexOfByte(this.#bytes, lineFeed, block.end, this.#end) + 1;
    this.#blocks[this.#passed] = block;
    this.#values[this.#passed++] = block.values;
    return made;
  }

  has(name: string): boolean {
    return this.#find(this.#numberOf(name));
  }

  *entries(): Iterable<readonly [name: string, value: string]> {
    const bytes = this.#bytes;
    const view = this.#view;
    const end = this.#end;
    for (let at = this.#start; at < end; ) {
      const feed = indexOfByte(bytes, lineFeed, at, end);
      const split = indexOfByte(bytes, colon, at, feed);
      if (split > at && split < feed) {
        const name = textOf(bytes, view, at, split);
        yield [name, textOf(bytes, view, valueStart(bytes, split, feed), valueEnd(bytes, split, feed))];
      }
      at = feed + 1;
    }
  }

  /** The same message over bytes of its own, for whoever must keep it. */
  copy(): AmiMessage {
    const bytes = Buffer.from(this.#bytes.subarray(this.#start, this.#end));
    return new LazyMessage().reset(
      this.event,
      bytes,
      viewOf(bytes),
      0,
      this.#feed - this.#start,
      bytes.length,
    );
  }

  #rewind(): void {
    this.#next = this.#start;
    this.#line = 0;
    this.#recognized = 0;
    this.#found = 0;
    this.#asked = 0;
    this.#passed = 0;
    this.#known = headers.texts.length;
    const { found, asked } = this.#order;
    while (found.length < this.#known) {
      found.push(eventHeader);
      asked.push(eventHeader);
    }
    if (this.#seen.length < this.#known || this.#message === mostMessages) {
      const room = 2 * this.#known;
      this.#seen = new Int32Array(room);
      this.#lines = new Int32Array(room);
      this.#froms = new Int32Array(room);
      this.#tos = new Int32Array(room);
      this.#message = 0;
    }
    this.#message++;
    if (this.event !== '') this.#recognize(eventHeader, this.#start + 'Event'.length, this.#feed);
  }

  #numberOf(name: string): number {
    const { asked } = this.#order;
    const guess = asked[this.#asked] ?? 0;
    const header = headers.texts[guess] === name ? guess : headers.add(name);
    // Lines that were looked at before this name was known may bear it.
    if (this.#known !== headers.texts.length) this.#rewind();
    asked[this.#asked] = header;
    this.#asked = header;
    return header;
  }

  /** Begins anew, and passes over no block any more. */
  #lookAtAll(): void {
    this.#plain = true;
    this.#rewind();
  }

  /** Whether the message has that header, in a block that was passed over or elsewhere. */
  #find(header: number): boolean {
    for (let n = 0; n < this.#passed; n++) if (this.#blocks[n]?.holds(header) === true) this.#lookAtAll();
    return this.#seek(header);
  }

  /** Looks at further lines until the header is found. */
  #seek(header: number): boolean {
    const seen = this.#seen;
    const message = this.#message;
    while (seen[header] !== message) if (!this.#lookAtLine()) return false;
    return true;
  }

  /** Recognizes the next line; false where there is none. */
  #lookAtLine(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    const at = this.#next;
    if (at >= end) return false;
    const { found } = this.#order;
    // What came after the last one the last time.
    let header = found[this.#found] ?? 0;
    const length = headers.lengthAt(header, this.#view, at, end);
    let split = at + length;
    if (length === 0 || bytes[split] !== colon) {
      split = at;
      while (split < end && bytes[split] !== colon && bytes[split] !== lineFeed) split++;
      header = split < end && bytes[split] === colon ? headers.find(bytes, at, split) : -1;
    }
    const feed = indexOfByte(bytes, lineFeed, split, end);
    if (header < 0) {
      this.#next = feed + 1;
      this.#line++;
      return true;
    }
    found[this.#found] = header;
    this.#recognize(header, split, feed);
    return true;
  }

  /** Notes which header the next line bears, whose colon is at `split` and whose line feed at `feed`. */
  #recognize(header: number, split: number, feed: number): void {
    this.#next = feed + 1;
    const line = this.#line++;
    this.#found = header;
    // Of repeated headers the first one counts.
    if (this.#seen[header] === this.#message) return;
    this.#recognized++;
    this.#seen[header] = this.#message;
    this.#lines[header] = line;
    this.#froms[header] = valueStart(this.#bytes, split, feed);
    this.#tos[header] = valueEnd(this.#bytes, split, feed);
  }
}
