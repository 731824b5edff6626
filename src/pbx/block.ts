import { headers } from './headers.ts';
import { carriageReturn, colon, indexOfByte, lineFeed, valueEnd, valueStart } from './lines.ts';
import { hashOf, textOf } from './texts.ts';

const word = 4;
const pair = 2 * word;
// Channels have some 300 bytes; what is longer is read anew each time.
const longest = 512;

/** A block as it was read the last time. */
interface Cell<T> {
  /** Bytes from the first value to the end of the last one; 0 while nothing is known. */
  size: number;
  /** Where they begin among those of all cells. */
  readonly at: number;
  /** Where the line of each header begins, and where the next line does; -1 for one that is not there. */
  readonly lines: number[];
  readonly nexts: number[];
  /** The last header that is there, by place. */
  last: number;
  readonly values: string[];
  made: T | undefined;
}

/**
 * Headers that Asterisk always writes together and in one order, such as the particulars of a channel. The same block comes again and
 * again with little or nothing new in it: so it is compared with the bytes of the last time, and what is the same is neither taken apart
 * nor decoded. Every byte is compared: what comes out is what reading each header would give.
 */
export class Block<T> {
  /** Number of the header it begins with. */
  readonly first: number;
  readonly #numbers: readonly number[];
  /** Place of each header, by its number; 0 for the first, and for those of others. */
  readonly #places: Uint8Array;
  readonly #asked: readonly boolean[];
  readonly #whole: boolean;
  readonly #make: (values: readonly string[]) => T | undefined;
  /** By the hash of the first value: a block that falls on another's takes its place. */
  readonly #cells: (Cell<T> | undefined)[];
  /** Bytes of all cells in a row: one object to look into, whichever cell it is. */
  readonly #bytes: DataView;
  /** The values of the block that was read last, until the next one is read; and where the last of them ended. */
  values: readonly string[] = [];
  end = 0;

  constructor(options: {
    /** Headers in their order. */
    readonly names: readonly string[];
    /** Those whose values are wanted. */
    readonly asked: ReadonlySet<string>;
    /** They must all be there: one that is not may stand elsewhere, and has to be looked for. */
    readonly whole: boolean;
    /** What the values mean, which are by place in `names` and '' where not wanted or not there. Called when they are new. */
    make(values: readonly string[]): T | undefined;
    /** How many blocks are remembered: a power of two. */
    readonly remembered: number;
  }) {
    const { names, asked } = options;
    this.#numbers = names.map((name) => headers.add(name));
    this.first = this.#numbers[0] ?? 0;
    this.#places = new Uint8Array(1 + Math.max(...this.#numbers));
    for (const [n, number] of this.#numbers.entries()) this.#places[number] = n;
    this.#asked = names.map((name) => asked.has(name));
    this.#whole = options.whole;
    this.#make = options.make;
    this.#cells = new Array<Cell<T> | undefined>(options.remembered).fill(undefined);
    this.#bytes = new DataView(new ArrayBuffer(options.remembered * longest));
  }

  /** Whether the header of that number is in it, and is not the first. */
  holds(header: number): boolean {
    // Names that became known later are none of its.
    return header < this.#places.length && (this.#places[header] ?? 0) > 0;
  }

  /** What {@link values} of a message say of a header that it {@link holds}; undefined where only its lines can tell. */
  valueIn(values: readonly string[], header: number): string | undefined {
    const n = this.#places[header] ?? 0;
    return this.#whole && this.#asked[n] === true ? values[n] : undefined;
  }

  /** Whether any of its headers but the first was seen in a message: `seen` holds the message of each by number. */
  isIn(seen: Int32Array, message: number): boolean {
    const numbers = this.#numbers;
    for (let n = 1; n < numbers.length; n++) if (seen[numbers[n] ?? 0] === message) return true;
    return false;
  }

  /**
   * Reads the block whose first value goes from `from` to `to`, of a message that goes to `end`; `view` is of the same bytes. Undefined where
   * its lines do not stand as expected; else {@link end} says where its last value ended.
   */
  read(bytes: Buffer, view: DataView, from: number, to: number, end: number): T | undefined {
    if (to - from < word) return undefined;
    const at = hashOf(view, from, to) & (this.#cells.length - 1);
    const cell = this.#cells[at] ?? emptyCell<T>(at * longest);
    this.#cells[at] = cell;
    this.values = cell.values;
    const same = sameBytes(this.#bytes, cell.at, cell.size, view, from, end);
    if (same > 0 && same === cell.size && this.#endsAt(from + same, cell.last, bytes, view, end)) {
      this.end = from + same;
      return cell.made;
    }
    return this.#renew(cell, same, bytes, view, from, to, end);
  }

  /** Whether the last value ends there, and no line follows that was not there the last time. */
  #endsAt(at: number, last: number, bytes: Buffer, view: DataView, end: number): boolean {
    if (at === end) return true;
    const feed = bytes[at] === carriageReturn ? at + 1 : at;
    if (feed < end && bytes[feed] !== lineFeed) return false;
    for (let n = last + 1; n < this.#numbers.length; n++)
      if (this.#splits(n, view, bytes, feed + 1, end) > 0) return false;
    return true;
  }

  /** Where the colon is of a line that bears this header; 0 where it does not. */
  #splits(n: number, view: DataView, bytes: Buffer, at: number, end: number): number {
    const length = headers.lengthAt(this.#numbers[n] ?? 0, view, at, end);
    return length > 0 && bytes[at + length] === colon ? at + length : 0;
  }

  /** Whether the line of this header, which begins at `line`, has its name among the bytes that are the same. */
  #isNamed(n: number, line: number | undefined, same: number): boolean {
    if (line === undefined || line < 0) return false;
    return line + headers.lengthOf(this.#numbers[n] ?? 0) < same;
  }

  /** Reads again from the line that the first byte is in which is not the same; lines after it that are the same are not taken apart. */
  #renew(
    cell: Cell<T>,
    same: number,
    bytes: Buffer,
    view: DataView,
    from: number,
    to: number,
    end: number,
  ): T | undefined {
    const { lines, nexts, values, size: known, last: lastKnown } = cell;
    const count = this.#numbers.length;
    cell.size = 0;
    let n = count - 1;
    while (n > 0 && !this.#isNamed(n, lines[n], same)) n--;
    let at = from + (lines[n] ?? 0);
    if (n === 0) {
      lines[0] = 0;
      values[0] = textOf(bytes, view, from, to);
      cell.last = 0;
      at = indexOfByte(bytes, lineFeed, to, end) + 1;
      n = 1;
    }
    // Of lines that are not there any more the one before is the last.
    let stop = n === 1 ? to : valueEnd(bytes, from, at - 1);
    // Up to where the bytes of the last time are the same, from the last line on that is not, and how far they have moved.
    let until = -1;
    let moved = 0;
    for (; n < count; n++) {
      const line = lines[n] ?? -1;
      const next = nexts[n] ?? 0;
      if (line > 0 && line < known) {
        if (until < 0) {
          until = line + sameBytes(this.#bytes, cell.at + line, known - line, view, at, end);
          moved = at - line;
        }
        const isLast = n === lastKnown && until === known;
        if (isLast ? this.#endsAt(moved + known, n, bytes, view, end) : next <= until) {
          lines[n] = line + moved - from;
          nexts[n] = next + moved - from;
          cell.last = n;
          if (isLast) {
            stop = moved + known;
            break;
          }
          at = moved + next;
          stop = valueEnd(bytes, from, at - 1);
          continue;
        }
      }
      const split = this.#splits(n, view, bytes, at, end);
      const asked = this.#asked[n] ?? false;
      lines[n] = -1;
      values[n] = '';
      if (split === 0) {
        if (asked && this.#whole) return undefined;
        continue;
      }
      const feed = indexOfByte(bytes, lineFeed, split, end);
      stop = valueEnd(bytes, split, feed);
      lines[n] = at - from;
      nexts[n] = feed + 1 - from;
      cell.last = n;
      if (asked) values[n] = textOf(bytes, view, valueStart(bytes, split, feed), stop);
      at = feed + 1;
      until = -1;
    }
    cell.made = this.#make(values);
    this.end = stop;
    const size = stop - from;
    // Of a value that ends in CR the next one may be the beginning: with the line's own CR in the place of that.
    if (size > longest || bytes[stop - 1] === carriageReturn) return cell.made;
    const last = size - word;
    const all = this.#bytes;
    for (let i = same & -word; i < last; i += word)
      all.setInt32(cell.at + i, view.getInt32(from + i, true), true);
    all.setInt32(cell.at + last, view.getInt32(from + last, true), true);
    cell.size = size;
    return cell.made;
  }
}

function emptyCell<T>(at: number): Cell<T> {
  return {
    size: 0,
    at,
    lines: [],
    nexts: [],
    last: 0,
    values: [],
    made: undefined,
  };
}

/** How many of the bytes from `at` on are the `size` ones that are known from `first` on. All of them, or as many as are certain: four are compared at a time. */
function sameBytes(
  bytes: DataView,
  first: number,
  size: number,
  view: DataView,
  at: number,
  end: number,
): number {
  const last = size - word;
  const most = Math.min(last, end - at - word);
  let i = 0;
  // Eight at a time, as floating point numbers: what is no number is not the same as itself, and zeros are the same whatever their sign; these are left to the next loop.
  for (; i < most - word; i += pair) {
    const eight = view.getFloat64(at + i, true);
    if (eight !== bytes.getFloat64(first + i, true) || eight === 0) break;
  }
  for (; i < most; i += word) if (view.getInt32(at + i, true) !== bytes.getInt32(first + i, true)) return i;
  return most === last && last >= 0 && view.getInt32(at + last, true) === bytes.getInt32(first + last, true)
    ? size
    : i;
}
