/** Kinds of text that attributes and elements hold: each reads, writes, and says what it expects. */

/** One kind of text. `T` is what it means. */
export interface Value<T> {
  /** The meaning of a text, or undefined where the text is not of this kind. */
  read(text: string): T | undefined;
  write(value: T): string;
  /** Ends the sentence "must be …". */
  readonly expects: string;
  /** A valid value, for documentation and for the round-trip test. */
  readonly example: T;
}

/** Any text up to `max` characters (default 1024). */
export function text(example = '', max = 1024): Value<string> {
  return {
    read: (raw) => (raw.length <= max ? raw : undefined),
    write: (value) => value,
    expects: `a text of at most ${max} characters`,
    example,
  };
}

/** A text with something in it. */
export function word(example: string, max = 1024): Value<string> {
  return {
    read: (raw) => (raw.trim() !== '' && raw.length <= max ? raw : undefined),
    write: (value) => value,
    expects: `a text of 1 to ${max} characters`,
    example,
  };
}

/** A text of a given shape; `expects` says which. */
export function pattern(shape: RegExp, expects: string, example: string): Value<string> {
  return { read: (raw) => (shape.test(raw) ? raw : undefined), write: (value) => value, expects, example };
}

/** A whole number from `min` to `max`, ASCII digits only. */
export function integer(min: number, max: number, example: number): Value<number> {
  return {
    read: (raw) => {
      if (!/^-?[0-9]{1,16}$/.test(raw)) return undefined;
      const value = Number(raw);
      return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
    },
    write: (value) => String(value),
    expects: `a whole number from ${min} to ${max}`,
    example,
  };
}

/** `true` or `false`; `1` and `0` are understood, as xs:boolean has them. */
export function flag(example = false): Value<boolean> {
  return {
    read: (raw) =>
      raw === 'true' || raw === '1' ? true : raw === 'false' || raw === '0' ? false : undefined,
    write: (value) => (value ? 'true' : 'false'),
    expects: "'true' or 'false'",
    example,
  };
}

/** One of a fixed list of words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T): Value<T[number]> {
  const known = new Set<string>(words);
  return {
    read: (raw) => (known.has(raw) ? raw : undefined),
    write: (value) => value,
    expects: `one of ${words.map((each) => `'${each}'`).join(', ')}`,
    example: words[0],
  };
}
