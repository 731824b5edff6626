/** The parts of a caller ID string; what is not given is undefined. */
export interface CallerIdParts {
  readonly number: string | undefined;
  readonly name: string | undefined;
}

/**
 * Splits `"Name" <number>`, `Name <number>`, `<number>`, a bare name or a bare number, as `ast_callerid_parse` of
 * main/callerid.c does: backslashes go, and blanks, brackets, dots and dashes leave the number.
 */
export function parseCallerId(text: string): CallerIdParts {
  const plain = text.replace(/\\(.)/g, '$1').trim();
  const match = /^(.*)<([^>]*)>\s*$/s.exec(plain);
  if (match !== null) return { number: shrink(match[2] ?? '') || undefined, name: unquote(match[1] ?? '') };
  if (/^[0-9*#+() .-]+$/.test(plain)) return { number: shrink(plain), name: undefined };
  return { number: undefined, name: unquote(plain) };
}

function shrink(number: string): string {
  return number.replace(/[() .-]/g, '');
}

function unquote(name: string): string | undefined {
  const bare = name.trim().replace(/^"(.*)"$/s, '$1');
  return bare === '' ? undefined : bare;
}
