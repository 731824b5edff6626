import { lines } from '../pbx/event.ts';
import type { Mailbox } from '../pbx/pbx.ts';
import type { Action } from './define.ts';

/** Actions on mailboxes. */
export const voicemailActions: readonly Action[] = [
  {
    name: 'VoicemailUsersList',
    synopsis: 'List All Voicemail User Information.',
    privilege: ['call', 'reporting'],
    run({ pbx, list }) {
      const items = [...pbx.mailboxes.values()].map((box) => ({
        event: 'VoicemailUserEntry',
        body: boxLines(box),
      }));
      list('Voicemail user list will follow', 'VoicemailUserEntryComplete', items);
    },
  },
  {
    name: 'MailboxCount',
    synopsis: 'Check Mailbox Message Count.',
    privilege: ['call', 'reporting'],
    run({ pbx, header, ok, error }) {
      const mailbox = header('Mailbox');
      if (mailbox === '') {
        error('Mailbox not specified');
        return;
      }
      const box = pbx.mailboxes.get(mailbox.replace(/@default$/, ''));
      ok('Mailbox Message Count', [
        ['Mailbox', mailbox],
        ['UrgMessages', 0],
        ['NewMessages', box?.unread ?? 0],
        ['OldMessages', box?.read ?? 0],
      ]);
    },
  },
];

function boxLines(box: Mailbox): string {
  return lines([
    ['VMContext', 'default'],
    ['VoiceMailbox', box.number],
    ['Fullname', box.name],
    ['Email', '(null)'],
    ['Pager', ''],
    ['ServerEmail', 'asterisk'],
    ['FromString', ''],
    ['MailCommand', '/usr/sbin/sendmail -t'],
    ['Language', ''],
    ['TimeZone', ''],
    ['Callback', ''],
    ['Dialout', ''],
    ['UniqueID', ''],
    ['ExitContext', ''],
    ['SayDurationMinimum', 2],
    ['SayEnvelope', 'Yes'],
    ['SayCID', 'No'],
    ['AttachMessage', 'No'],
    ['AttachmentFormat', ''],
    ['DeleteMessage', 'No'],
    ['VolumeGain', '0.00'],
    ['CanReview', 'No'],
    ['CanMarkUrgent', 'Yes'],
    ['CallOperator', 'No'],
    ['MaxMessageCount', 100],
    ['MaxMessageLength', 60],
    ['NewMessageCount', box.unread],
    ['OldMessageCount', box.read],
  ]);
}
