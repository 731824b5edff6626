/** Our own users as persons of the phonebook. */

import type { DirectorySource, User } from '../directory.ts';
import type { Person, PersonNumber, Source } from './phonebook.ts';

/** A user as a person. */
export function personOf(user: User): Person {
  // Which part of a full name is which, nobody can tell; clients that sort by surname want an answer, and mostly it is right.
  const split = user.fullName.lastIndexOf(' ');
  const numbers: PersonNumber[] = [{ kind: 'phone', number: user.extension, isPrivate: false }];
  if (user.faxExtension !== '') numbers.push({ kind: 'fax', number: user.faxExtension, isPrivate: false });
  for (const { type, number } of user.devices) {
    if (number !== '') numbers.push({ kind: kindOf(type), number, isPrivate: false });
  }
  return {
    id: String(user.ids.account),
    jid: user.jid,
    firstname: split < 0 ? '' : user.fullName.slice(0, split),
    surname: user.fullName.slice(split + 1),
    displayname: user.fullName,
    organisation: '',
    email: '',
    numbers,
    labels: [],
  };
}

function kindOf(type: string): PersonNumber['kind'] {
  return type === 'mobile' || type === 'fax' ? type : 'phone';
}

/** The directory as a source. */
export function directoryPersons(directory: Pick<DirectorySource, 'current' | 'onChange'>): Source {
  let listener = () => {};
  let unsubscribe = () => {};
  return {
    name: 'directory',
    get persons() {
      return directory.current.users.map(personOf);
    },
    onChange(listen) {
      listener = listen;
    },
    async start() {
      unsubscribe = directory.onChange(() => listener());
    },
    async stop() {
      unsubscribe();
    },
  };
}
