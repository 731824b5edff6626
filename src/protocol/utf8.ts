/** What is written often, as the bytes of the wire at once: a string in between would be put together, taken apart and copied. */

import { escapeXml, isMarkup } from './xml.ts';

const word = 4;

/** Text that is known beforehand, as UTF-8. */
export class FixedText {
  /** Bytes of the text. */
  readonly length: number;
  /** The text, filled up to whole words; and how many bytes that are: asking a view for its length is a call. */
  readonly words: DataView;
  readonly room: number;

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
  #length = 0;

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
    // One large text is no reason to keep its room.
    if (this.#buffer.length > usual) this.#allocate(usual);
  }

  /** Bytes written since {@link clear}. */
  get length(): number {
    return this.#length;
  }

  /** What was written since {@link clear}; valid until something else is. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes a text as it is. */
  fixed({ words, length, room }: FixedText): void {
    this.#reserve(room);
    const view = this.#view;
    const at = this.#length;
    for (let i = 0; i < length; i += word) view.setInt32(at + i, words.getInt32(i, true), true);
    this.#length = at + length;
  }

  /** Writes a text as it is. */
  text(text: string): void {
    // No character of a string takes more than three bytes.
    this.#reserve(3 * text.length);
    this.#length += this.#buffer.write(text, this.#length);
  }

  /** Writes a text as {@link escapeXml} does. */
  escaped(text: string): void {
    const { length } = text;
    this.#reserve(length);
    const buffer = this.#buffer;
    const at = this.#length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      // Nearly all texts are short, and their own bytes.
      if (code >= 0x80 || isMarkup(code)) {
        this.text(escapeXml(text));
        return;
      }
      buffer[at + i] = code;
    }
    this.#length = at + length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const before = this.#buffer;
    this.#allocate(Math.max(needed, 2 * before.length));
    before.copy(this.#buffer, 0, 0, this.#length);
  }

  #allocate(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
    this.#view = new DataView(this.#buffer.buffer);
  }
}
