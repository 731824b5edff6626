/** Event names compared as bytes, so that what nobody wants is dropped before a string exists. */

interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const buckets = 512;

/** A set of event names that is asked with a piece of a buffer. */
export interface WantedEvents {
  /** The name in `bytes` from `start` to `end` if it is in the set, else undefined. Case-sensitive, as Asterisk writes it. */
  match(bytes: Uint8Array, start: number, end: number): string | undefined;
}

// Length, first, middle and last letter tell nearly all of Asterisk's event names apart.
function hash(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] ?? 0;
  const middle = bytes[(start + end) >> 1] ?? 0;
  const last = bytes[end - 1] ?? 0;
  return ((end - start) * 37 + first * 7 + middle * 17 + last * 3) & (buckets - 1);
}

function equal(a: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== bytes[start + i]) return false;
  return true;
}

/** Makes the set. */
export function wantedEvents(names: Iterable<string>): WantedEvents {
  const table: Entry[][] = Array.from({ length: buckets }, () => []);
  for (const name of new Set(names)) {
    const bytes = Buffer.from(name, 'latin1');
    table[hash(bytes, 0, bytes.length)]?.push({ name, bytes });
  }
  return {
    match(bytes, start, end) {
      const bucket = table[hash(bytes, start, end)];
      if (bucket === undefined) return undefined;
      for (const entry of bucket) {
        if (entry.bytes.length === end - start && equal(entry.bytes, bytes, start)) return entry.name;
      }
      return undefined;
    },
  };
}
