/** `PhonebookEntry`: a person as lists and events show it. */

import type { User } from '../directory.ts';
import { attr, element, type Infer, textElement } from '../protocol/codec.ts';
import { text } from '../protocol/value.ts';

const words = (example: string, doc = '') => textElement(text(example), '', doc);

/** The element on the wire. */
export const phonebookEntry = element(
  'PhonebookEntry',
  {
    eventType: attr(text('')),
    eventId: attr(text('')),
    type: words('011account', '`011account`: a user; empty: somebody of whom only number and name are known'),
    id: words('340'),
    firstname: words(''),
    surname: words(''),
    phone: words('340'),
    fax: words(''),
    mobile: words(''),
    homephone: words(''),
    email: words(''),
    displayname: words('Thomas Weber'),
    organisation: words(''),
  },
  'A person.',
);

/** A `PhonebookEntry` as a value. */
export type PhonebookEntry = Infer<typeof phonebookEntry>;

/** Somebody of whom only the signaled number and name are known. */
export function entryOfParty(number: string, name: string): PhonebookEntry {
  return {
    eventType: '',
    eventId: '',
    type: '',
    id: '',
    firstname: '',
    surname: '',
    phone: number,
    fax: '',
    mobile: '',
    homephone: '',
    email: '',
    displayname: name,
    organisation: '',
  };
}

/** A user of ours. */
export function entryOfUser(user: User): PhonebookEntry {
  return {
    ...entryOfParty(user.extension, user.fullName),
    type: '011account',
    id: String(user.ids.account),
    fax: user.faxExtension,
    mobile: user.devices.find((device) => device.type === 'mobile')?.number ?? '',
  };
}
