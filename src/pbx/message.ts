import type { Block } from './block.ts';

/** One AMI message as the feed hands it on: headers are read when asked for, not before. */
export interface AmiMessage {
  /** Value of the `Event` header; empty for a `Response`. */
  readonly event: string;
  /**
   * Value of the first header of that name (case-sensitive, as Asterisk writes it), without the line end; a value's leading and
   * trailing blanks beyond the one after the colon are kept. Empty string where there is none.
   */
  get(name: string): string;
  /** Whether the header is there at all. */
  has(name: string): boolean;
  /**
   * What a block of headers means, where it is written as expected, and reading it in one go is possible; else undefined, and {@link get} tells
   * the headers one by one.
   */
  block?<T>(block: Block<T>): T | undefined;
  /** Every header in order, duplicates included. */
  entries(): Iterable<readonly [name: string, value: string]>;
}
