/** Voicemail counters: learned whole after each connect, then from events. Bounded by the boxes the telephone system has. */

import type { Log } from './log.ts';
import type { Model } from './models.ts';
import type { MailboxCount, Pbx } from './pbx/pbx.ts';

/** The counters of a box are others than before. */
export interface MailboxChange {
  readonly kind: 'mailbox';
  /** `340@default`. */
  readonly mailbox: string;
  readonly count: MailboxCount;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The counters of all boxes. */
export interface Mailboxes extends Model {
  /** The counters of a box (`340@default`); zeros while unknown. */
  of(mailbox: string): MailboxCount;
}

const empty: MailboxCount = { newMessages: 0, oldMessages: 0 };
const nothing: readonly MailboxChange[] = Object.freeze([]);

/** Makes an empty table that is filled whenever both connections to the telephone system are up. */
export function createMailboxes(options: {
  readonly pbx: Pick<Pbx, 'mailboxes' | 'onState'>;
  readonly log: Log;
  readonly now: () => number;
}): Mailboxes {
  const { pbx, log, now } = options;
  const boxes = new Map<string, MailboxCount>();
  let known = false;
  let tell: (changes: readonly MailboxChange[]) => void = () => {};

  function put(mailbox: string, count: MailboxCount, at: number): readonly MailboxChange[] {
    const before = boxes.get(mailbox) ?? empty;
    boxes.set(mailbox, count);
    const same = before.newMessages === count.newMessages && before.oldMessages === count.oldMessages;
    return same ? nothing : [{ kind: 'mailbox', mailbox, count, at }];
  }

  async function learn(): Promise<void> {
    try {
      const counts = await pbx.mailboxes();
      const at = now();
      const changes = [...counts].flatMap(([mailbox, count]) => put(mailbox, count, at));
      for (const mailbox of boxes.keys()) if (!counts.has(mailbox)) boxes.delete(mailbox);
      // What is learned at first is how things are, not news.
      if (known && changes.length > 0) tell(changes);
      known = true;
    } catch (error) {
      log.warn({ reason: String(error) }, 'voicemail counters are unknown until messages come or go');
    }
  }

  // Both: one connection tells how many there are, the other what becomes of them.
  pbx.onState(({ control, feed }) => {
    if (control && feed) void learn();
  });
  return {
    of: (mailbox) => boxes.get(mailbox) ?? empty,
    onChange(listener) {
      tell = listener;
    },
    apply(event) {
      if (event.type !== 'message-waiting') return nothing;
      const { mailbox, newMessages, oldMessages, at } = event;
      return put(mailbox, { newMessages, oldMessages }, at);
    },
  };
}
