/** Queues (app_queue): who is a member, who takes a break, and what became of the calls. */

import { Failure, type FailureCode, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { type AmiAction, action, checkedChannel } from './action.ts';
import { type Control, text } from './control.ts';
import type { PbxEvent } from './events.ts';
import { listOf } from './list.ts';
import type { Log } from './log.ts';
import type { Pbx, QueueCounters, QueueMember } from './pbx.ts';
import { readListedMember, readQueueCounters } from './queue-lists.ts';

/** Items of a QueueStatus list; none where app_queue is not loaded. Rejects as `Control.list` does. */
async function readStatus(control: Control, log: Log, event: string, queue?: string) {
  const items = await listOf(
    control,
    log,
    action('QueueStatus', queue === undefined ? {} : { Queue: queue, Member: 'none' }),
  );
  return items
    .filter((item) => text(item, 'event') === event)
    .map((item) => ({ get: (name: string) => text(item, name.toLowerCase()) }));
}

/** Every member of every queue. */
async function readQueueMembers(control: Control, log: Log): Promise<readonly QueueMember[]> {
  const items = await readStatus(control, log, 'QueueMember');
  return items.map(readListedMember).filter((member) => member !== undefined);
}

async function readCounters(control: Control, log: Log, queue: string): Promise<QueueCounters | undefined> {
  const [item] = await readStatus(control, log, 'QueueParams', queue);
  return item && readQueueCounters(item);
}

/** An action on one member of one queue. Throws `Failure` `invalid-target`. */
function memberAction(
  name: string,
  queue: string,
  member: string,
  headers: Readonly<Record<string, string>> = {},
): AmiAction {
  // Without queue all of them are meant (app_queue.c manager_pause_queue_member): never by mistake.
  if (queue === '' || member === '') fail('invalid-target', `${name} needs a queue and a member.`);
  return action(name, { Queue: queue, Interface: member, ...headers });
}

/** The sentences of app_queue.c, and what they mean. */
const meanings: readonly (readonly [RegExp, FailureCode])[] = [
  [/no such queue/i, 'no-such-queue'],
  [/already there/i, 'already-logged-in'],
  [/not there|interface not found/i, 'not-logged-in'],
  [/member not dynamic/i, 'static-member'],
];

function meaningOf(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== 'rejected') return error;
  const [, code] = meanings.find(([sentence]) => sentence.test(error.message)) ?? [];
  return code === undefined ? error : new Failure(code, `The telephone system says: ${error.message}.`);
}

/** The verbs of queues that need no feed. */
export function queueVerbs(
  acting: Acting,
): Pick<Pbx, 'queueMembers' | 'queuePause' | 'queueAdd' | 'queueRemove' | 'queueCounters'> {
  const { run, ask, log, watch, beginMs } = acting;

  /** Carries out what changes a member, and waits until the events have told of it: who asks next shall find it so. */
  async function change(
    sent: AmiAction,
    type: 'queue-member-added' | 'queue-member-removed' | 'queue-member-changed',
    queue: string,
    member: string,
  ): Promise<void> {
    const isIt = (event: PbxEvent) =>
      event.type === type &&
      event.member.interface === member &&
      event.member.queue.toLowerCase() === queue.toLowerCase();
    const told = acting.hears ? watch.next((event) => (isIt(event) ? true : undefined), beginMs) : undefined;
    try {
      await (told === undefined ? run(sent) : told.after(run(sent)));
    } catch (error) {
      throw meaningOf(error);
    }
    await told?.outcome;
  }

  return {
    queueMembers: () => ask((control) => readQueueMembers(control, log)),
    queueCounters: (queue) => ask((control) => readCounters(control, log, queue)),
    async queuePause(queue, member, paused, reason) {
      const sent = memberAction('QueuePause', queue, member, {
        Paused: `${paused}`,
        ...(reason === '' ? {} : { Reason: reason }),
      });
      await change(sent, 'queue-member-changed', queue, member);
    },
    async queueAdd({ queue, interface: member, stateInterface, name, penalty }) {
      const sent = memberAction('QueueAdd', queue, checkedChannel(member), {
        Penalty: `${penalty}`,
        Paused: 'false',
        MemberName: name,
        StateInterface: stateInterface,
      });
      await change(sent, 'queue-member-added', queue, member);
    },
    async queueRemove(queue, member) {
      await change(memberAction('QueueRemove', queue, member), 'queue-member-removed', queue, member);
    },
  };
}
