/** Searching for a text: roughly by the database, exactly here. */

/**
 * A pattern for LIKE (escape `!`) that fits every text with `query` in it, and some others. Only ASCII letters and digits are left to the
 * database: what else it makes of upper and lower case depends on its kind and its locale, and in stored XML some characters are written in other ways.
 */
export function likePattern(query: string): string {
  const parts = ['%'];
  for (const character of query) {
    const part = partFor(character);
    // One after the other means no more than one.
    if (part !== '%' || parts.at(-1) !== '%') parts.push(part);
  }
  if (parts.at(-1) !== '%') parts.push('%');
  return parts.join('');
}

function partFor(character: string): string {
  if (/^[%_!]$/.test(character)) return `!${character}`;
  // Blanks may be any kind of blank, and & < > " ' have other names in XML.
  return /^[!-~]$/.test(character) && !/[&<>"']/.test(character) ? character : '%';
}

/** Makes the exact test: whether a text holds the query, whatever the case. */
export function holder(query: string): (text: string) => boolean {
  const wanted = fold(query);
  return (text) => fold(text).includes(wanted);
}

function fold(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
