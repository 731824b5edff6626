/** What two readings of a source have in common is in memory once. */

import { isDeepStrictEqual } from 'node:util';
import { stepsPerYield } from './merge.ts';
import type { Person } from './phonebook.ts';

/** Gives the earlier one back for a person that is the same, else the person. */
export type Share = (person: Person) => Person;

/** Knows the persons of an earlier reading: of a source that is read again, most are as they were. To be driven to its end. */
export function* createShare(earlier: readonly Person[]): Generator<void, Share> {
  const byId = new Map<string, Person>();
  for (const [index, person] of earlier.entries()) {
    if (index % stepsPerYield === 0) yield;
    byId.set(person.id, person);
  }
  return (person) => {
    const known = byId.get(person.id);
    return known !== undefined && isDeepStrictEqual(known, person) ? known : person;
  };
}
