/**
 * Queues follow who sits down elsewhere: where a user logged in to a queue with one telephone, the membership moves to the one that rings
 * first now. Members that the telephone system's configuration makes, and Local channels, follow by the dialplan.
 */

import type { Device, Directory, User } from '../directory.ts';
import type { Log } from '../log.ts';
import type { Pbx, QueueMember } from '../pbx/pbx.ts';

/** What {@link createQueueMoves} needs. */
export interface QueueMovesOptions {
  readonly pbx: Pick<Pbx, 'queueAdd' | 'queueRemove' | 'queuePause'>;
  readonly queues: () => readonly { readonly members: readonly QueueMember[] }[];
  readonly log: Log;
}

/** Makes what takes a change of the directory, and carries it out one after the other. Never throws. */
export function createQueueMoves(options: QueueMovesOptions): (now: Directory, before: Directory) => void {
  const { pbx, queues, log } = options;
  let last: Promise<void> = Promise.resolve();

  async function move(user: User, member: QueueMember): Promise<void> {
    const { queue, name, penalty, paused, pausedReason } = member;
    const next = firstOf(user);
    // First out, then in: who is told of both by user knows the truth afterwards.
    await pbx.queueRemove(queue, member.interface);
    if (next === undefined) return;
    const to = next.dialString;
    await pbx.queueAdd({ queue, interface: to, stateInterface: next.device, name, penalty });
    if (paused) await pbx.queuePause(queue, to, true, pausedReason);
  }

  async function follow(moved: readonly { readonly user: User; readonly was: User }[]): Promise<void> {
    for (const { user, was } of moved) {
      const own = new Set(was.devices.map(({ dialString }) => dialString));
      const members = queues().flatMap((queue) => queue.members);
      const mine = members.filter((member) => member.dynamic && own.has(member.interface));
      for (const member of mine.filter((each) => each.interface !== firstOf(user)?.dialString)) {
        await move(user, member).catch((error: unknown) =>
          log.warn(
            { user: user.jid, queue: member.queue, reason: String(error) },
            'a queue does not follow to another place',
          ),
        );
      }
    }
  }

  return (now, before) => {
    // Other people or devices: the operator's affair.
    if (now.basis !== before.basis) return;
    const moved = now.users.flatMap((user) => {
      const was = before.byJid(user.jid);
      const stays = was === undefined || before.seatOf(was)?.name === now.seatOf(user)?.name;
      return stays ? [] : [{ user, was }];
    });
    // Who gets up makes room first.
    moved.sort((a, b) => Number(now.seatOf(a.user) !== undefined) - Number(now.seatOf(b.user) !== undefined));
    if (moved.length > 0) last = last.then(() => follow(moved));
  };
}

/** The device that a login to a queue takes. */
function firstOf({ devices }: User): Device | undefined {
  return devices.find(({ capabilities }) => capabilities.has('dial')) ?? devices[0];
}
