/** Our own users as persons of the phonebook. */

import type { DirectorySource, User } from '../directory.ts';
import { dialable, type Numbers } from './numbers.ts';
import type { NumberKind, Person, Source } from './phonebook.ts';

/** A user as a person. */
export function personOf(user: User, key: Numbers['key'] = dialable): Person {
  // Which part of a full name is which, nobody can tell; clients that sort by surname want an answer, and mostly it is right.
  const split = user.fullName.lastIndexOf(' ');
  const numbers: readonly (readonly [NumberKind, string])[] = [
    ['phone', user.extension],
    ['fax', user.faxExtension],
    ...user.devices.map(({ type, number }) => [kindOf(type), number] as const),
  ];
  return {
    id: String(user.ids.account),
    jid: user.jid,
    firstname: split < 0 ? '' : user.fullName.slice(0, split),
    surname: user.fullName.slice(split + 1),
    displayname: user.fullName,
    organisation: '',
    email: '',
    numbers: numbers
      .filter(([, number]) => number !== '')
      .map(([kind, number]) => ({ kind, number, key: key(number), isPrivate: false })),
    labels: [],
  };
}

function kindOf(type: string): NumberKind {
  return type === 'mobile' || type === 'fax' ? type : 'phone';
}

/** The directory as a source. */
export function directoryPersons(
  directory: Pick<DirectorySource, 'current' | 'onChange'>,
  key: Numbers['key'],
): Source {
  let listener = () => {};
  let unsubscribe = () => {};
  return {
    name: 'directory',
    get persons() {
      return directory.current.users.map((user) => personOf(user, key));
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
