import { action } from './action.ts';
import { type Control, text } from './control.ts';
import { listOf } from './list.ts';
import type { Log } from './log.ts';
import type { MailboxCount } from './pbx.ts';

/** Counters of every voicemail box by `number@context`. Rejects as `Control.list` does. */
export async function readMailboxes(control: Control, log: Log): Promise<ReadonlyMap<string, MailboxCount>> {
  const boxes = new Map<string, MailboxCount>();
  for (const item of await listOf(control, log, action('VoicemailUsersList'))) {
    boxes.set(`${text(item, 'voicemailbox')}@${text(item, 'vmcontext')}`, {
      newMessages: count(text(item, 'newmessagecount')),
      oldMessages: count(text(item, 'oldmessagecount')),
    });
  }
  return boxes;
}

function count(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : 0;
}
