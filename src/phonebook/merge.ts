/** One person out of what several sources, or several lines of one, know of the same. */

import { personLimits } from './person.ts';
import type { Person } from './phonebook.ts';
import { fold } from './text.ts';

/** Persons without doubles, and whose numbers are. */
export interface Merged {
  readonly persons: readonly Person[];
  /** By `Numbers.key`. */
  readonly owners: ReadonlyMap<string, Person>;
}

/** Between two looks of who drives a generator of this folder at the clock. */
export const stepsPerYield = 100;

/**
 * Merges persons in the order of trust: the first one's texts count, those that it lacks and further numbers come from the others. The same
 * are: those with the same JID, or the same id of a source; an e-mail address that is one's JID; the same name together with a number or an e-mail address. Yields
 * often, so that a large phonebook does not keep others waiting.
 */
export function* merge(lists: Iterable<readonly Person[]>): Generator<void, Merged> {
  const persons: Person[] = [];
  const places = new Map<string, number>();
  const byAddress = new Map<string, number[]>();
  const byNumber = new Map<string, number[]>();
  let steps = 0;

  function sameAs(person: Person, name: string, keys: readonly string[]): number | undefined {
    for (const key of [person.jid, person.email, person.id]) {
      const known = key === undefined ? undefined : places.get(key);
      if (known !== undefined) return known;
    }
    const candidates = [
      ...(byAddress.get(person.email) ?? []),
      ...keys.flatMap((key) => byNumber.get(key) ?? []),
    ];
    return candidates.find((place) => {
      const other = persons[place];
      return other !== undefined && fold(other.displayname) === name;
    });
  }

  for (const list of lists) {
    for (const person of list) {
      if (++steps % stepsPerYield === 0) yield;
      const keys = person.numbers.map((each) => each.key);
      const found = sameAs(person, fold(person.displayname), keys);
      const place = found ?? persons.length;
      const before = persons[place];
      persons[place] = before === undefined ? person : together(before, person);
      if (person.jid !== undefined) places.set(person.jid, place);
      if (!places.has(person.id)) places.set(person.id, place);
      if (person.email !== '') append(byAddress, person.email, place);
      for (const key of keys) if (key !== '') append(byNumber, key, place);
    }
  }
  const owners = new Map<string, Person>();
  for (const [key, [place]] of byNumber) {
    if (++steps % (10 * stepsPerYield) === 0) yield;
    const owner = place === undefined ? undefined : persons[place];
    if (owner !== undefined) owners.set(key, owner);
  }
  return { persons, owners };
}

/** A switchboard's number may be many people's: the first few are compared, so that it costs no more than others. */
const sharers = 8;

function append(map: Map<string, number[]>, key: string, place: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [place]);
  else if (list.length < sharers && !list.includes(place)) list.push(place);
}

function together(first: Person, further: Person): Person {
  const known = new Set(first.numbers.map((each) => each.key));
  const more = further.numbers.filter((each) => !known.has(each.key));
  return {
    ...first,
    jid: first.jid ?? further.jid,
    firstname: first.firstname || further.firstname,
    surname: first.surname || further.surname,
    organisation: first.organisation || further.organisation,
    email: first.email || further.email,
    numbers: [...first.numbers, ...more].slice(0, personLimits.numbers),
    labels: [...new Set([...first.labels, ...further.labels])].slice(0, personLimits.labels),
  };
}
