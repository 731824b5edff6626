/** Module `journal`: recent calls. */

import { element, optional } from '../protocol/codec.ts';
import { integer } from '../protocol/value.ts';
import { command, defineModule } from './define.ts';

/** Module `journal`. No calls are kept yet: the list is there for clients that ask for it at their login, and empty. */
export const journal = defineModule({
  name: 'journal',
  doc: 'Recent calls. None are kept yet, so that lists are empty.',
  commands: [
    command({
      doc: 'The user’s own recent calls: an empty list.',
      access: 'user',
      request: element('FindOwn', {
        limit: optional(integer(1, 10_000, 30), 'how many calls at the most; default: 100'),
      }),
      response: { codec: element('JournalList', {}) },
      handle: () => ({}),
    }),
  ],
});
