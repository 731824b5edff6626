/** Voicemail counters: learned whole after each connect, then from events. */

import { createBound } from './bounds.ts';
import type { Log } from './log.ts';
import type { Model } from './models.ts';
import type { MailboxCount, Pbx } from './pbx/pbx.ts';

/** The counters of a box are others than before, or were learned for the first time. */
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
/** Boxes; the counters of further ones are not known. */
const maxBoxes = 100_000;
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
  /** The boxes that events told of since the list under way was asked for; a new set for each list. */
  let heard = new Set<string>();
  let tell: (changes: readonly MailboxChange[]) => void = () => {};

  const bound = createBound('mailboxes', maxBoxes, () => boxes.size);

  /** Returns whether it is another one than before. */
  function put(mailbox: string, count: MailboxCount): boolean {
    if (!boxes.has(mailbox) && !bound.admits()) return false;
    const before = boxes.get(mailbox) ?? empty;
    boxes.set(mailbox, count);
    return before.newMessages !== count.newMessages || before.oldMessages !== count.oldMessages;
  }

  async function learn(): Promise<void> {
    const meanwhile = new Set<string>();
    heard = meanwhile;
    try {
      const counts = await pbx.mailboxes();
      // A later connection has asked again: what this one says may be older.
      if (heard !== meanwhile) return;
      const at = now();
      // The list and the events come by two connections, and nobody knows which is older. An event is never the last word that
      // is wrong: where messages came or went after it, another one follows.
      const gone = [...boxes.keys()].filter((mailbox) => !counts.has(mailbox));
      const learned = [...counts, ...gone.map((mailbox) => [mailbox, empty] as const)];
      const changes = learned.flatMap(([mailbox, count]): MailboxChange[] => {
        if (meanwhile.has(mailbox)) return [];
        // The first time everything is told: sessions that outlived the last bridge do not know what happened since.
        return put(mailbox, count) || !known ? [{ kind: 'mailbox', mailbox, count, at }] : [];
      });
      for (const mailbox of gone) if (!meanwhile.has(mailbox)) boxes.delete(mailbox);
      known = true;
      if (changes.length > 0) tell(changes);
    } catch (error) {
      log.warn({ reason: String(error) }, 'voicemail counters are unknown until messages come or go');
    }
  }

  // Both: one connection tells how many there are, the other what becomes of them.
  pbx.onState(({ control, feed }) => {
    if (control && feed) void learn();
  });
  return {
    bounds: [bound],
    of: (mailbox) => boxes.get(mailbox) ?? empty,
    onChange(listener) {
      tell = listener;
    },
    apply(event) {
      if (event.type !== 'message-waiting') return nothing;
      const { mailbox, newMessages, oldMessages, at } = event;
      const count = { newMessages, oldMessages };
      const isNews = put(mailbox, count);
      if (boxes.has(mailbox)) heard.add(mailbox);
      return isNews ? [{ kind: 'mailbox', mailbox, count, at }] : nothing;
    },
  };
}
