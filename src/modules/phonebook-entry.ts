/** `PhonebookEntry` and `LabelList`: a person on the wire, in the phonebook's answers and wherever else somebody is named. */

import type { User } from '../directory.ts';
import { personOf } from '../phonebook/directory.ts';
import { type NumberKind, numberKinds, type Person } from '../phonebook/phonebook.ts';
import { attr, attrOr, element, type Infer, many, maybe, ownText, textElement } from '../protocol/codec.ts';
import { oneOf, text } from '../protocol/value.ts';
import type { World } from './define.ts';

/** Labels of a person, such as `VIP`. */
export const labelList = element('LabelList', {
  labels: many(element('Label', { name: attr(text('VIP')) })),
});

/** The element on the wire. */
export const phonebookEntry = element(
  'PhonebookEntry',
  {
    eventId: attrOr(text('1042'), '', 'the same as `id`'),
    eventType: attrOr(text(''), ''),
    type: textElement(text('011account'), '', '`011account`: one of our users'),
    id: textElement(text('1042'), '', 'stays the same for a person of a source'),
    firstname: textElement(text('Thomas'), ''),
    surname: textElement(text('Weber'), ''),
    phone: textElement(text('340'), ''),
    fax: textElement(text(''), ''),
    mobile: textElement(text('+49 171 1234567'), ''),
    homephone: textElement(text(''), ''),
    email: textElement(text('tweber@example.org'), ''),
    displayname: textElement(text('Thomas Weber'), ''),
    organisation: textElement(text('Example Ltd'), ''),
    labels: maybe(labelList),
    numbers: maybe(
      element(
        'NumberList',
        {
          numbers: many(
            element('Number', { type: attr(oneOf(...numberKinds)), number: ownText(text('+49 30 1234567')) }),
          ),
        },
        'the numbers that the elements above have no room for',
      ),
    ),
  },
  'Somebody who has a telephone. Elements are empty where nothing is known.',
);

/** A `PhonebookEntry` as a value. */
export type PhonebookEntry = Infer<typeof phonebookEntry>;

/** `LabelList` where there are labels. */
export function labelsOf(person: Person | undefined): Infer<typeof labelList> | undefined {
  if (person === undefined || person.labels.length === 0) return undefined;
  return { labels: person.labels.map((name) => ({ name })) };
}

/** A person as an entry, without the private numbers. */
export function entryOf(person: Person): PhonebookEntry {
  const open = person.numbers.filter((each) => !each.isPrivate);
  const first = (kind: NumberKind) => open.find((each) => each.kind === kind);
  const shown = new Set(numberKinds.map(first));
  const further = open.filter((each) => !shown.has(each));
  return {
    eventId: person.id,
    eventType: '',
    type: person.jid === undefined ? '' : '011account',
    id: person.id,
    firstname: person.firstname,
    surname: person.surname,
    phone: first('phone')?.number ?? '',
    fax: first('fax')?.number ?? '',
    mobile: first('mobile')?.number ?? '',
    homephone: first('homephone')?.number ?? '',
    email: person.email,
    displayname: person.displayname,
    organisation: person.organisation,
    labels: labelsOf(person),
    numbers:
      further.length === 0
        ? undefined
        : { numbers: further.map(({ kind, number }) => ({ type: kind, number })) },
  };
}

/** One of our users as an entry. */
export function entryOfUser(user: User): PhonebookEntry {
  return entryOf(personOf(user));
}

/**
 * Whoever calls on a channel, as an entry: our user whose channel it is, the person of the phonebook who has the number, or nobody known,
 * under the signaled name. `phone` is the number that calls, whichever of the person's it is.
 */
export function entryOfCaller(
  caller: { readonly channel: string; readonly number: string; readonly name: string },
  { directory, phonebook }: World,
): PhonebookEntry {
  const device = directory.deviceOfChannel(caller.channel);
  // Only what the dialplan calls from within may claim to be an extension; on any other channel it is the word of a stranger.
  const user =
    (device && directory.byDevice(device)?.user) ??
    (caller.channel.startsWith('Local/') ? directory.byExtension(caller.number) : undefined);
  if (user !== undefined) return entryOfUser(user);
  const person = phonebook.byNumber(caller.number);
  if (person !== undefined) return { ...entryOf(person), phone: caller.number };
  return { ...nobody, phone: caller.number, displayname: caller.name };
}

const nobody = phonebookEntry.read({ name: 'PhonebookEntry', attrs: new Map(), children: [] });
