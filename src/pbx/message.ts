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
   * The same among the first few headers only: for one that, where it is, comes right after the event's name, and mostly
   * is not there.
   */
  early(name: string): string;
  /** Every header in order, duplicates included. */
  entries(): Iterable<readonly [name: string, value: string]>;
}
