/**
 * Texts of the wire as strings. The same names and ids come with every event of a call: each is decoded once, and is one string for all
 * who keep it. What is remembered is compared byte by byte, so a text is never taken for another.
 */

const cells = 8192;
// Channels' names end at 79 bytes, most have half of that; ids are shorter.
const longest = 64;
/** Bytes are compared four at a time; in the order of nearly all processors, which need not turn them around then. */
const word = 4;

// One cell for each hash: a text that falls on another's replaces it.
const strings: string[] = new Array<string>(cells).fill('');
const lengths = new Uint8Array(cells);
const known = new DataView(new ArrayBuffer(cells * longest));

/** The UTF-8 text from `start` to `end`; `view` is of the same bytes. What Asterisk cut inside a character ends in U+FFFD. */
export function textOf(bytes: Buffer, view: DataView, start: number, end: number): string {
  const length = end - start;
  if (length <= 0) return '';
  if (length > longest) return decoded(bytes, start, end);
  if (length < word) return short(bytes, view, start, end);
  const last = end - word;
  const cell = hashOf(view, start, end) & (cells - 1);
  const from = cell * longest;
  if (lengths[cell] === length && equal(view, start, last, from)) return strings[cell] ?? '';
  const text = decoded(bytes, start, end);
  strings[cell] = text;
  lengths[cell] = length;
  for (let i = start; i < last; i += word) known.setInt32(from + i - start, view.getInt32(i, true), true);
  known.setInt32(from + last - start, view.getInt32(last, true), true);
  return text;
}

/** A hash of at least four bytes. Ids differ at their ends, names at both. */
export function hashOf(view: DataView, start: number, end: number): number {
  const last = end - word;
  let mixed =
    Math.imul(view.getInt32(start, true), 0x9e3779b1) ^
    Math.imul(view.getInt32(last, true), 0x85ebca6b) ^
    Math.imul(view.getInt32(last - start > word ? last - word : start, true), 0xc2b2ae35) ^
    (end - start);
  // The last letters of a word are its highest bits: they must tell in the lowest.
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  return mixed ^ (mixed >>> 15);
}

function equal(view: DataView, start: number, last: number, from: number): boolean {
  for (let i = start; i < last; i += word)
    if (view.getInt32(i, true) !== known.getInt32(from + i - start, true)) return false;
  return view.getInt32(last, true) === known.getInt32(from + last - start, true);
}

// Extensions, states, counts: up to three bytes are a number, which is compared whole.
const shortCells = 1024;
const shortKeys = new Int32Array(shortCells);
const shortStrings: string[] = new Array<string>(shortCells).fill('');

function short(bytes: Buffer, view: DataView, start: number, end: number): string {
  let key = 0;
  for (let at = start; at < end; at++) key = (key << 8) | view.getUint8(at);
  key |= (end - start) << 24;
  const cell = (Math.imul(key, 0x9e3779b1) >>> 22) & (shortCells - 1);
  if (shortKeys[cell] === key) return shortStrings[cell] ?? '';
  const text = decoded(bytes, start, end);
  shortKeys[cell] = key;
  shortStrings[cell] = text;
  return text;
}

function decoded(bytes: Buffer, start: number, end: number): string {
  let at = start;
  while (at < end && (bytes[at] ?? 0) < 0x80) at++;
  // Faster for what needs no decoding, and one byte a character in memory.
  return bytes.toString(at === end ? 'latin1' : 'utf8', start, end);
}
