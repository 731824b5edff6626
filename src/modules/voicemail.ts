/** Module `voicemail`: how many messages wait in the user's box. */

import type { User } from '../directory.ts';
import type { MailboxCount } from '../pbx/pbx.ts';
import { attr, element, type Infer, textElement } from '../protocol/codec.ts';
import { integer, text } from '../protocol/value.ts';
import { command, defineModule, event } from './define.ts';

const messages = integer(0, 1_000_000, 2);

/** The user's voicemail box. The first names are columns of the original system's database. */
export const voicemailbox = element('Voicemailbox', {
  db_016voi_name: textElement(text('Thomas Weber'), ''),
  inboxMessages: textElement(messages, 0, 'messages not yet listened to'),
  db_016voi_mailbox: textElement(text('340'), '', 'its number; empty: the user has none'),
  db_016voi_tmstmp: textElement(text(), ''),
  newMessages: textElement(messages, 0, 'the same as `inboxMessages`'),
  oldMessages: textElement(integer(0, 1_000_000, 5), 0, 'messages that were listened to'),
});

/** Describes a user's box. */
export function describeVoicemailbox(user: User, count: MailboxCount): Infer<typeof voicemailbox> {
  const [mailbox = ''] = user.mailbox.split('@');
  return {
    db_016voi_name: mailbox === '' ? '' : user.fullName,
    inboxMessages: count.newMessages,
    db_016voi_mailbox: mailbox,
    db_016voi_tmstmp: '',
    newMessages: count.newMessages,
    oldMessages: count.oldMessages,
  };
}

/** The message waiting indication in a sentence, for clients that know nothing but text. */
function waitingLine({ newMessages, oldMessages }: MailboxCount): string {
  const fresh = newMessages === 0 ? 'no' : `${newMessages}`;
  const old = oldMessages === 0 ? '' : `, ${oldMessages} old`;
  return `You have ${fresh} new voice ${newMessages === 1 ? 'message' : 'messages'}${old}.`;
}

const voicemailEvent = element('VoicemailEvent', {
  eventType: attr(text('update')),
  eventId: attr(text('340@default'), 'the box as the telephone system names it'),
  mailbox: textElement(text('340'), '', 'its number'),
  newMessages: textElement(messages, 0, 'messages not yet listened to'),
  oldMessages: textElement(integer(0, 1_000_000, 5), 0, 'messages that were listened to'),
  summary: textElement(
    text('You have 2 new voice messages, 5 old.'),
    '',
    'the same in a sentence, for clients that show text and nothing else',
  ),
});

/** Module `voicemail`. */
export const voicemail = defineModule({
  name: 'voicemail',
  doc: 'How many messages wait in the user’s voicemail box.',
  commands: [
    command({
      doc: 'The user’s own box; empty for users without one.',
      access: 'user',
      request: element('FindOwn', {}),
      response: { codec: voicemailbox },
      handle: (_request, { caller: { user }, mailboxes }) =>
        describeVoicemailbox(user, mailboxes.of(user.mailbox)),
    }),
  ],
  events: [
    event({
      doc:
        'Messages came, were listened to or deleted. To everybody who has the box; also once after a restart of the bridge, ' +
        'whose sessions do not know what happened meanwhile.',
      on: 'mailbox',
      payload: voicemailEvent,
      from({ mailbox, count }, { directory }) {
        const concerns = directory.byMailbox(mailbox);
        if (concerns.length === 0) return [];
        const [number = ''] = mailbox.split('@');
        const value = {
          eventType: 'update',
          eventId: mailbox,
          mailbox: number,
          ...count,
          summary: waitingLine(count),
        };
        return [{ concerns, value, about: { key: `mailbox ${mailbox}`, facet: 'count' } }];
      },
    }),
  ],
});
