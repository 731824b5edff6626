/** Voicemail counters: learned whole after each connect, then from events. Bounded by the boxes the telephone system has. */

import type { PbxEvent } from './pbx/events.ts';
import type { MailboxCount } from './pbx/pbx.ts';

/** The counters of all boxes. */
export interface Mailboxes {
  /** The counters of a box (`340@default`); zeros while unknown. */
  of(mailbox: string): MailboxCount;
  /** Replaces everything known. */
  replace(counts: ReadonlyMap<string, MailboxCount>): void;
  /** Takes a `message-waiting` event in; ignores all others. */
  apply(event: PbxEvent): void;
}

const empty: MailboxCount = { newMessages: 0, oldMessages: 0 };

/** Makes an empty table. */
export function createMailboxes(): Mailboxes {
  let boxes = new Map<string, MailboxCount>();
  return {
    of: (mailbox) => boxes.get(mailbox) ?? empty,
    replace(counts) {
      boxes = new Map(counts);
    },
    apply(event) {
      if (event.type !== 'message-waiting') return;
      boxes.set(event.mailbox, { newMessages: event.newMessages, oldMessages: event.oldMessages });
    },
  };
}
