/** What is written often, as the bytes of the wire at once: a string in between would be put together, taken apart and copied. */

import { escapeXml, isMarkup } from './xml.ts';

const word = 4;

/** Text that is known beforehand, as UTF-8. */
export class FixedText {
  /** How many bytes the text has. */
  readonly length: number;
  /** The text, filled up to whole words; and how many bytes that are: asking a view for its length is a call. */
  readonly words: DataView;
  readonly room: number;

  /** The bytes of the text. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.words.buffer, this.words.byteOffset, this.length);
  }

  constructor(text: string) {
    const bytes = Buffer.from(text);
    const room = Buffer.alloc(Math.ceil(bytes.length / word) * word);
    bytes.copy(room);
    this.length = bytes.length;
    this.words = new DataView(room.buffer, room.byteOffset, room.length);
    this.room = room.length;
  }
}

/** Room for nearly every stanza. */
const usual = 16_384;

/** Writes texts one after the other, as UTF-8. Its room is used again: what is to last has to be copied. */
export class Utf8Writer {
  #buffer = Buffer.allocUnsafeSlow(usual);
  #view = new DataView(this.#buffer.buffer);
  /** Where the written bytes begin, and where they end. */
  readonly #start: number;
  #end: number;

  /** `margin`: bytes that stay free in front, for {@link behind}. */
  constructor(margin = 0) {
    this.#start = margin;
    this.#end = margin;
  }

  /** Begins anew. */
  clear(): void {
    this.#end = this.#start;
    // One large text is no reason to keep its room.
    if (this.#buffer.length > usual) this.#allocate(usual);
  }

  /** Bytes written since {@link clear}. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** What was written since {@link clear}; valid until something else is. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * The same behind a beginning: `head`, and a text as {@link escaped} writes it. Of what many get, each with an own beginning, the rest is
   * written once. Valid until the next beginning, or until something else is written.
   */
  behind(head: FixedText, text: string): Uint8Array {
    const at = this.#start - text.length;
    const from = at - head.length;
    // What a fixed text is filled up with falls on the text, which comes after it.
    if (from >= 0 && text.length >= word) {
      this.#putFixed(head, from);
      if (this.#putPlain(text, at)) return this.#buffer.subarray(from, this.#end);
    }
    return Buffer.concat([head.bytes, Buffer.from(escapeXml(text)), this.bytes]);
  }

  /** Writes a text as it is. */
  fixed(text: FixedText): void {
    this.#reserve(text.room);
    this.#putFixed(text, this.#end);
    this.#end += text.length;
  }

  /** Writes a text as it is. */
  text(text: string): void {
    // No character of a string takes more than three bytes.
    this.#reserve(3 * text.length);
    this.#end += this.#buffer.write(text, this.#end);
  }

  /** Writes a text as {@link escapeXml} does. */
  escaped(text: string): void {
    this.#reserve(text.length);
    if (this.#putPlain(text, this.#end)) this.#end += text.length;
    else this.text(escapeXml(text));
  }

  #putFixed({ words, length }: FixedText, at: number): void {
    const view = this.#view;
    for (let i = 0; i < length; i += word) view.setInt32(at + i, words.getInt32(i, true), true);
  }

  /** Puts a text there whose characters are their own bytes, as nearly all are; false where they are not. */
  #putPlain(text: string, at: number): boolean {
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80 || isMarkup(code)) return false;
      buffer[at + i] = code;
    }
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#buffer.length) return;
    const before = this.#buffer;
    this.#allocate(Math.max(needed, 2 * before.length));
    before.copy(this.#buffer, 0, 0, this.#end);
  }

  #allocate(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#buffer.buffer);
  }
}
