/** Texts of sources and queries: made harmless, and made comparable. */

// What XML forbids or a terminal obeys; lone surrogates are neither characters.
const unwanted = /[\p{Cc}\p{Cs}\uFFFE\uFFFF\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]+/gu;

/** A text in one line, without control characters and needless blanks. */
export function clean(text: string): string {
  return text.replace(unwanted, ' ').replace(/\s+/g, ' ').trim();
}

/** Letters that Unicode does not take apart, though people do. */
const letters: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['þ', 'th'],
  ['ł', 'l'],
  ['ħ', 'h'],
  ['ı', 'i'],
]);
const special = new RegExp(`[${[...letters.keys()].join('')}]`, 'g');
// Most texts of most phonebooks: nothing to take apart.
const plain = /^[\x20-\x7e]*$/;

/** The same for texts that differ in case and accents only. */
export function fold(text: string): string {
  if (plain.test(text)) return text.toLowerCase();
  return text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(special, (letter) => letters.get(letter) ?? letter);
}
