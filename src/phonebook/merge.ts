/** One person out of what several sources, or several lines of one, know of the same. */

import { personLimits } from './person.ts';
import type { Person } from './phonebook.ts';
import { fold } from './text.ts';

/** Persons without doubles, and whose numbers are. */
export interface Merged {
  readonly persons: readonly Person[];
  /** By `Numbers.key`: whoever was there first. */
  owner(key: string): Person | undefined;
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
  const byAddress = new Map<string, Sharers>();
  const byNumber = new Map<string, Sharers>();
  let steps = 0;

  function sameAs(person: Person, name: string, keys: readonly string[]): number | undefined {
    for (const key of [person.jid, person.email, person.id]) {
      const known = key === undefined ? undefined : places.get(key);
      if (known !== undefined) return known;
    }
    const candidates = [byAddress.get(person.email), ...keys.map((key) => byNumber.get(key))];
    for (const place of candidates.flat()) {
      const other = place === undefined ? undefined : persons[place];
      if (other !== undefined && fold(other.displayname) === name) return place;
    }
    return undefined;
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
  return { persons, owner: ownerIn(persons, byNumber) };
}

/** A function of its own: one that were made within would keep all that was needed for merging. */
function ownerIn(persons: readonly Person[], byNumber: ReadonlyMap<string, Sharers>): Merged['owner'] {
  return (key) => {
    const [first] = [byNumber.get(key)].flat();
    return first === undefined ? undefined : persons[first];
  };
}

/** A switchboard's number may be many people's: the first few are compared, so that it costs no more than others. */
const sharers = 8;

/** Places of those who have something in common. Mostly it is one: a list for each would be the larger part of the whole. */
type Sharers = number | number[];

function append(map: Map<string, Sharers>, key: string, place: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, place);
  else if (typeof known === 'number') {
    if (known !== place) map.set(key, [known, place]);
  } else if (known.length < sharers && !known.includes(place)) known.push(place);
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
