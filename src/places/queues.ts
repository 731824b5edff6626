/**
 * Queues follow who sits down elsewhere: where a user logged in to a queue with one telephone, the membership moves to the one that rings
 * first now. Members that the telephone system's configuration makes, and Local channels, follow by the dialplan.
 */

import type { Device, Directory, User } from '../directory.ts';
import type { Log } from '../log.ts';
import type { Pbx, QueueMember } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';

/** What {@link createQueueMoves} needs. */
export interface QueueMovesOptions {
  readonly pbx: Pick<Pbx, 'queueAdd' | 'queueRemove' | 'queuePause'>;
  readonly queues: () => readonly { readonly members: readonly QueueMember[] }[];
  readonly log: Log;
}

/** A membership on its way. */
interface Move {
  readonly user: BareJid;
  readonly member: QueueMember;
  /** Undefined: there is no telephone any more. */
  readonly to: Device | undefined;
}

/** Makes what takes a change of the directory, and carries it out as the telephone system can. Never throws. */
export function createQueueMoves(options: QueueMovesOptions): (now: Directory, before: Directory) => void {
  const { pbx, queues, log } = options;
  /** Telephones that people had whose queues do not follow yet: however often somebody moves meanwhile, that is one move. */
  let waiting = new Map<BareJid, Set<string>>();
  let isMoving = false;

  async function remove({ member: { queue, interface: name } }: Move): Promise<void> {
    await pbx.queueRemove(queue, name);
  }

  async function add({ member, to }: Move): Promise<void> {
    if (to === undefined) return;
    const { queue, name, penalty, paused, pausedReason } = member;
    await pbx.queueAdd({ queue, interface: to.dialString, stateInterface: to.device, name, penalty });
    if (paused) await pbx.queuePause(queue, to.dialString, true, pausedReason);
  }

  /** Resolves with the moves of which this step was done. */
  async function each(moves: readonly Move[], step: (move: Move) => Promise<void>): Promise<Move[]> {
    const done: Move[] = [];
    for (const move of moves) {
      try {
        await step(move);
        done.push(move);
      } catch (error) {
        const { user, member } = move;
        log.warn(
          { user, queue: member.queue, reason: String(error) },
          'a queue does not follow to another place',
        );
      }
    }
    return done;
  }

  async function follow(now: () => Directory): Promise<void> {
    isMoving = true;
    while (waiting.size > 0) {
      const moved = waiting;
      waiting = new Map();
      const members = queues().flatMap((queue) => queue.members);
      const moves = [...moved].flatMap(([jid, had]): Move[] => {
        const user = now().byJid(jid);
        if (user === undefined) return [];
        const to = firstOf(user);
        return members
          .filter(
            (member) => member.dynamic && had.has(member.interface) && member.interface !== to?.dialString,
          )
          .map((member) => ({ user: jid, member, to }));
      });
      // First all out, then in: two who change places are in each other's way, and who is told of both by user knows the truth afterwards.
      await each(await each(moves, remove), add);
    }
    isMoving = false;
  }

  let latest: Directory;
  return (now, before) => {
    latest = now;
    // Other people or devices: the operator's affair.
    if (now.basis !== before.basis) return;
    for (const user of now.users) {
      const was = before.byJid(user.jid);
      if (was === undefined || before.seatOf(was)?.name === now.seatOf(user)?.name) continue;
      const had = waiting.get(user.jid) ?? new Set();
      for (const { dialString } of was.devices) had.add(dialString);
      waiting.set(user.jid, had);
    }
    if (!isMoving) void follow(() => latest);
  };
}

/** The device that a login to a queue takes. */
function firstOf({ devices }: User): Device | undefined {
  return devices.find(({ capabilities }) => capabilities.has('dial')) ?? devices[0];
}
