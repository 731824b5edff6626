/** Persons for tests of the phonebook. */

import { createNumbers } from '../../src/phonebook/numbers.ts';
import { makePerson } from '../../src/phonebook/person.ts';
import type { NumberKind, Person, Source, SourceName } from '../../src/phonebook/phonebook.ts';

/** What a test says of a person; numbers by kind, private ones with `!` in front. */
export interface Sketch {
  readonly source?: SourceName;
  readonly id?: string;
  readonly firstname?: string;
  readonly surname?: string;
  readonly name?: string;
  readonly organisation?: string;
  readonly email?: string;
  readonly numbers?: readonly (readonly [NumberKind, string])[];
  readonly labels?: readonly string[];
}

/** The person; throws where there can be none. */
export function person({ source = 'file', name, numbers = [], ...rest }: Sketch): Person {
  const made = makePerson(
    source,
    {
      ...rest,
      displayname: name,
      numbers: numbers.map(([kind, number]) => ({
        kind,
        number: number.replace('!', ''),
        isPrivate: number.startsWith('!'),
      })),
    },
    createNumbers('DE', '0').key,
  );
  if (typeof made === 'string') throw new Error(made);
  return made;
}

/** A source that has what it is given. */
export function source(name: SourceName, ...first: readonly Person[]) {
  let persons = first;
  let listener = () => {};
  const made: Source = {
    name,
    get persons() {
      return persons;
    },
    onChange(listen) {
      listener = listen;
    },
    start: async () => {},
    stop: async () => {},
  };
  return {
    ...made,
    get persons() {
      return persons;
    },
    /** Replaces what there is. */
    put(...others: readonly Person[]) {
      persons = others;
      listener();
    },
  };
}
