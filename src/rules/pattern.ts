/** Number patterns in the notation of the dialplan (pbx.c): what operators write already. */

/** A pattern, and whether a number matches it as a whole. */
export interface NumberPattern {
  readonly text: string;
  matches(number: string): boolean;
}

const grammar = /^_?\+?(?:[0-9*#XZN]|\[[0-9-]{1,20}\])*[.!]?$/;
const classes: Readonly<Record<string, string>> = {
  X: '[0-9]',
  Z: '[1-9]',
  N: '[2-9]',
  '.': '.+',
  '!': '.*',
  '+': '\\+',
  '*': '\\*',
};

/**
 * A number, or a pattern: `X` 0-9, `Z` 1-9, `N` 2-9, `[1-5]`, and at the end `.` for one or more and `!` for any number of further
 * characters. The dialplan's leading `_` may stand or not. Undefined where the text is none; never slow, for nothing in it backtracks.
 */
export function numberPattern(text: string): NumberPattern | undefined {
  const bare = text.replace(/^_/, '');
  if (bare === '' || bare.length > 80 || !grammar.test(text)) return undefined;
  const source = bare.replace(/\[[^\]]*\]|[XZN.!+*]/g, (part) => classes[part] ?? part);
  let expression: RegExp;
  try {
    expression = new RegExp(`^${source}$`);
  } catch {
    // A range that runs backwards: [5-1].
    return undefined;
  }
  return { text, matches: (number) => expression.test(number) };
}
