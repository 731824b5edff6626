/** The phonebook's port: who is in it, where the entries come from, how they are found. Types only. */

import type { User } from '../directory.ts';
import type { Model } from '../models.ts';
import type { BareJid } from '../protocol/jid.ts';

/** The numbers that an entry of the API has a place for, in its order. */
export const numberKinds = ['phone', 'fax', 'mobile', 'homephone'] as const;
/** One of {@link numberKinds}. */
export type NumberKind = (typeof numberKinds)[number];

/** A number of a person. */
export interface PersonNumber {
  readonly kind: NumberKind;
  /** As the source writes it. */
  readonly number: string;
  /** What ways of writing it have in common: see `Numbers.key`. */
  readonly key: string;
  /** Is never shown nor found, but still names its owner when it calls. */
  readonly isPrivate: boolean;
}

/** Somebody who has a telephone. Texts are clean (see `clean` in text.ts) and empty where unknown. */
export interface Person {
  /** Unique in the phonebook, and the same for the same person of the same source from one reading to the next. */
  readonly id: string;
  /** Where it is one of our users. */
  readonly jid: BareJid | undefined;
  readonly firstname: string;
  readonly surname: string;
  /** Never empty. */
  readonly displayname: string;
  readonly organisation: string;
  readonly email: string;
  readonly numbers: readonly PersonNumber[];
  readonly labels: readonly string[];
}

/** The sources, from the most trusted to the least: where two know the same person, the first one's word counts. */
export const sourceNames = ['directory', 'file', 'ldap', 'vcard'] as const;
/** One of {@link sourceNames}. */
export type SourceName = (typeof sourceNames)[number];

/** Where persons come from. What it has is replaced as a whole: while a new state cannot be read, the last one stays. */
export interface Source {
  readonly name: SourceName;
  readonly persons: readonly Person[];
  /** Called after {@link persons} has become another. One listener. */
  onChange(listener: () => void): void;
  /** Reads for the first time, and begins to watch. Never rejects: what cannot be had yet is asked for again. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Which persons are asked for. */
export interface Query {
  /** Words that must all be found, each in any field; or (part of) a number. Empty: everybody. */
  readonly text: string;
  /** Where to go on: the {@link Found.place} of the last person that the asker has. */
  readonly after?: string | undefined;
}

/** A person who was found, and where. */
export interface Found {
  readonly person: Person;
  /** Goes on after this person, in this phonebook and in the next one that somebody was added to or taken from. */
  readonly place: string;
}

/** The phonebook, for handlers and for names of callers. */
export interface Phonebook extends Model {
  /** How many persons there are, of all sources together. */
  readonly size: number;
  /** Whom the asker may see, by name; the further ones cost nothing until they are asked for. */
  find(query: Query, asker: Pick<User, 'groups'>): Iterable<Found>;
  /** Whose number it is, of the sources that everybody may see; undefined where nobody's. At most a few Map look-ups: for the hot road. */
  byNumber(number: string): Person | undefined;
  /** The name of whose number it is. */
  nameOf(number: string): string | undefined;
}
