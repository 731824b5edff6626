import { Names } from './names.ts';

/** A set of event names that is asked with a piece of a buffer: what nobody wants is dropped before a string exists. */
export interface WantedEvents {
  /** The name in `bytes` from `start` to `end` if it is in the set, else undefined. Case-sensitive, as Asterisk writes it. */
  match(bytes: Uint8Array, start: number, end: number): string | undefined;
}

/** Makes the set. */
export function wantedEvents(names: Iterable<string>): WantedEvents {
  const known = new Names(names);
  return {
    match(bytes, start, end) {
      const number = known.find(bytes, start, end);
      return number < 0 ? undefined : known.texts[number];
    },
  };
}
