/** Lines of AMI messages as bytes: `Name: value`, ended by CR LF or LF. No byte is read beyond `end`. */

export const colon = 58;
export const space = 32;
export const lineFeed = 10;
export const carriageReturn = 13;

/** The next such byte before `end`, else `end`. */
export function indexOfByte(bytes: Buffer, byte: number, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

/** Where the value begins: after the colon and one blank; further blanks belong to it (Asterisk keeps those of caller names). */
export function valueStart(bytes: Buffer, split: number, feed: number): number {
  return split + 1 < feed && bytes[split + 1] === space ? split + 2 : split + 1;
}

/** Where the value ends. */
export function valueEnd(bytes: Buffer, split: number, feed: number): number {
  return feed - 1 > split && bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
}

/** A view of a buffer's bytes. */
export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
