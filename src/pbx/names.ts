/**
 * Names of the wire, each known by a number: bytes are compared with bytes, and no string is made to look one up. Names are those that the
 * program knows; none that only the wire brings is ever added.
 */
export class Names {
  /** By number. */
  readonly texts: string[] = [];
  /** All names in a row, and where each begins; one more, where the last ends. */
  #bytes = new DataView(new ArrayBuffer(0));
  readonly #starts = [0];
  readonly #numbers = new Map<string, number>();
  readonly #table: number[][] = Array.from({ length: buckets }, () => []);

  constructor(names: Iterable<string> = []) {
    for (const name of names) this.add(name);
  }

  /** The number of a name; a new one where it was not known. */
  add(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.texts.length;
    const bytes = Buffer.from(name, 'latin1');
    this.texts.push(name);
    this.#numbers.set(name, number);
    this.#table[hash(bytes, 0, bytes.length)]?.push(number);
    const all = new Uint8Array(this.#bytes.byteLength + bytes.length);
    all.set(new Uint8Array(this.#bytes.buffer));
    all.set(bytes, this.#bytes.byteLength);
    this.#bytes = new DataView(all.buffer);
    this.#starts.push(all.length);
    return number;
  }

  /** Number of the name from `start` to `end`; -1 where it is none of these. Case-sensitive, as Asterisk writes it. */
  find(bytes: Uint8Array, start: number, end: number): number {
    for (const number of this.#table[hash(bytes, start, end)] ?? []) {
      if (this.lengthOf(number) === end - start && this.#equals(number, bytes, start)) return number;
    }
    return -1;
  }

  /** Whether the name of that number stands at `at`, ending before `end`, and how long it is: 0 where it does not. Four bytes at a time. */
  lengthAt(number: number, view: DataView, at: number, end: number): number {
    const length = this.lengthOf(number);
    if (length < word || at + length >= end) return 0;
    const from = this.#starts[number] ?? 0;
    const last = length - word;
    for (let i = 0; i < last; i += word)
      if (view.getInt32(at + i, true) !== this.#bytes.getInt32(from + i, true)) return 0;
    return view.getInt32(at + last, true) === this.#bytes.getInt32(from + last, true) ? length : 0;
  }

  /** How many bytes a name has. */
  lengthOf(number: number): number {
    return (this.#starts[number + 1] ?? 0) - (this.#starts[number] ?? 0);
  }

  #equals(number: number, bytes: Uint8Array, start: number): boolean {
    const from = this.#starts[number] ?? 0;
    const length = this.lengthOf(number);
    for (let i = 0; i < length; i++) if (this.#bytes.getUint8(from + i) !== bytes[start + i]) return false;
    return true;
  }
}

const word = 4;
const buckets = 1024;

// Length, first, middle and last letter tell nearly all of Asterisk's names apart.
function hash(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] ?? 0;
  const middle = bytes[(start + end) >> 1] ?? 0;
  const last = bytes[end - 1] ?? 0;
  return ((end - start) * 37 + first * 7 + middle * 17 + last * 3) & (buckets - 1);
}
