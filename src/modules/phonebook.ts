/** Module `phonebook`: who has which number. */

import type { Query } from '../phonebook/phonebook.ts';
import { element, many, optional, sizeOf } from '../protocol/codec.ts';
import { integer, text } from '../protocol/value.ts';
import { type Context, command, defineModule } from './define.ts';
import { entryOf, type PhonebookEntry, phonebookEntry } from './phonebook-entry.ts';

const page = {
  limit: optional(
    integer(1, 10_000, 100),
    'how many entries at the most; default: as many as one answer can hold',
  ),
  after: optional(text('weber thomas|1042', 8192), 'goes on where an answer said `next`'),
};

const list = element('PhonebookList', {
  next: optional(
    text('weber thomas|1042', 8192),
    'there are further entries: ask again with this as `after`. Absent: these were the last',
  ),
  entries: many(phonebookEntry),
});

/** Module `phonebook`. */
export const phonebook = defineModule({
  name: 'phonebook',
  doc:
    'Everybody who has a number: our users, and the persons of the files and servers that the operator configured, in one view. Sorted by ' +
    'name. An answer holds what fits into one stanza, and `next` where there is more.',
  commands: [
    command({
      doc: 'All entries.',
      access: 'user',
      request: element('FindAll', page),
      response: { codec: list },
      handle: ({ limit, after }, context) => find({ text: '', after }, limit, context),
    }),
    command({
      doc:
        'The entries with all words of the query, each anywhere in any field, whatever the case and the accents; or with (part of) a number, with or ' +
        'without country and trunk prefix: `030 1234`, `+49301234` and `301234` find the same. An empty query finds everybody.',
      access: 'user',
      request: element('Find', { query: optional(text('mül', 256), 'words, or a number'), ...page }),
      response: { codec: list },
      handle: ({ query = '', limit, after }, context) => find({ text: query, after }, limit, context),
    }),
  ],
});

/** Entries until there are enough, or until one more would not fit into the answer. */
function find(query: Query, limit = Number.POSITIVE_INFINITY, context: Context) {
  const entries: PhonebookEntry[] = [];
  let room = context.settings.answerBytes;
  let last: string | undefined;
  for (const { person, place } of context.phonebook.find(query, context.caller.user)) {
    const entry = entryOf(person);
    room -= sizeOf(phonebookEntry, entry);
    if (entries.length >= limit || room < 0) return { next: last, entries };
    entries.push(entry);
    last = place;
  }
  return { next: undefined, entries };
}
