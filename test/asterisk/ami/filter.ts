/** An event filter of one session. */
interface Filter {
  readonly exclude: boolean;
  matches(text: string): boolean;
}

/** The event filters of a session, in Asterisk's logic (`match_filter`, main/manager.c). */
export interface Filters {
  /** Adds one; `criteria` is the MatchCriteria header. Returns false when it cannot be understood. */
  add(filter: string, criteria?: string): boolean;
  passes(text: string): boolean;
}

/**
 * No filters let everything through. With excluding filters only, everything but what they match; with including
 * ones, only what one of them matches and no excluding one does.
 */
export function createFilters(initial: readonly string[] = []): Filters {
  const including: Filter[] = [];
  const excluding: Filter[] = [];
  const filters: Filters = {
    add(text, criteria = '') {
      const filter = criteria === '' ? legacy(text) : advanced(text, criteria);
      if (filter === undefined) return false;
      (filter.exclude ? excluding : including).push(filter);
      return true;
    },
    passes(text) {
      if (including.length > 0 && !including.some((filter) => filter.matches(text))) return false;
      return !excluding.some((filter) => filter.matches(text));
    },
  };
  for (const text of initial) filters.add(text);
  return filters;
}

function legacy(text: string): Filter | undefined {
  const exclude = text.startsWith('!');
  const pattern = compile(exclude ? text.slice(1) : text);
  return pattern === undefined ? undefined : { exclude, matches: (event) => pattern.test(event) };
}

/** `action(exclude),name(VarSet),header(Channel),method(starts_with)`, as Asterisk takes since 20.10 and 22.0. */
function advanced(text: string, criteria: string): Filter | undefined {
  const parts = new Map<string, string>();
  for (const part of criteria.split(',')) {
    const match = /^\s*(action|name|header|method)\(([^)]*)\)\s*$/.exec(part);
    if (match?.[1] === undefined || match[2] === undefined) return undefined;
    parts.set(match[1], match[2]);
  }
  const name = parts.get('name');
  const header = parts.get('header');
  const test = comparison(parts.get('method') ?? (text === '' ? 'none' : 'regex'), text);
  if (test === undefined) return undefined;
  return {
    exclude: parts.get('action') === 'exclude',
    matches(event) {
      if (name !== undefined && !event.startsWith(`Event: ${name}\r\n`)) return false;
      return test(header === undefined ? event : headerOf(event, header));
    },
  };
}

function headerOf(event: string, header: string): string {
  const line = event.split('\r\n').find((candidate) => candidate.startsWith(`${header}: `));
  return line?.slice(header.length + 2) ?? '';
}

function comparison(method: string, text: string): ((value: string) => boolean) | undefined {
  if (method === 'none') return () => true;
  if (method === 'exact') return (value) => value === text;
  if (method === 'starts_with') return (value) => value.startsWith(text);
  if (method === 'ends_with') return (value) => value.endsWith(text);
  if (method === 'contains') return (value) => value.includes(text);
  const pattern = method === 'regex' ? compile(text) : undefined;
  return pattern === undefined ? undefined : (value) => pattern.test(value);
}

/** A regular expression, or undefined when it is none. */
export function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
