/** Queues (app_queue): who is a member, and who takes a break. */

import { fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { type AmiAction, action } from './action.ts';
import { type Control, text } from './control.ts';
import { listOf } from './list.ts';
import type { Log } from './log.ts';
import type { Pbx, QueueMember } from './pbx.ts';

/** Every member of every queue; none where app_queue is not loaded. Rejects as `Control.list` does. */
async function readQueueMembers(control: Control, log: Log): Promise<readonly QueueMember[]> {
  const items = await listOf(control, log, action('QueueStatus'));
  return items
    .filter((item) => text(item, 'event') === 'QueueMember')
    .map((item) => ({
      queue: text(item, 'queue'),
      interface: text(item, 'location'),
      stateInterface: text(item, 'stateinterface'),
      paused: text(item, 'paused') === '1',
      pausedReason: text(item, 'pausedreason'),
    }));
}

/** Begins or ends a member's break in one queue. Throws `Failure` `invalid-target`. */
function pauseAction(queue: string, member: string, paused: boolean, reason: string): AmiAction {
  // Without queue all of them are meant (app_queue.c manager_pause_queue_member): never by mistake.
  if (queue === '' || member === '') fail('invalid-target', 'A pause needs a queue and a member.');
  return action('QueuePause', {
    Queue: queue,
    Interface: member,
    Paused: `${paused}`,
    ...(reason === '' ? {} : { Reason: reason }),
  });
}

/** The verbs of queues. */
export function queueVerbs({ run, ask, log }: Acting): Pick<Pbx, 'queueMembers' | 'queuePause'> {
  return {
    queueMembers: () => ask((control) => readQueueMembers(control, log)),
    queuePause: async (queue, member, paused, reason) => run(pauseAction(queue, member, paused, reason)),
  };
}
