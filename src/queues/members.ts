/** Who serves a queue, and who takes a break. */

import type { QueueMember } from '../pbx/pbx.ts';
import type { QueueMemberChange } from './changes.ts';
import { keyOf, type Queue, queueNamed, tell, type World } from './world.ts';

function say(world: World, queue: Queue, type: QueueMemberChange['type'], member: QueueMember): void {
  const { name, roster } = queue;
  tell(world, queue, { kind: 'queue-member', type, queue: name, member, roster, at: world.at });
}

/** A member is there: new, or other than before. */
export function setMember(world: World, queue: Queue, member: QueueMember): void {
  const before = queue.members.get(member.interface);
  if (before === undefined && queue.members.size >= world.room.members.most) {
    world.room.members.exceed();
    return;
  }
  queue.members.set(member.interface, member);
  if (before === undefined || !samePerson(before, member)) queue.roster = [...queue.members.values()];
  if (before === undefined) say(world, queue, 'login', member);
  else if (member.paused && !(before.paused && before.pausedReason === member.pausedReason))
    say(world, queue, 'pause', member);
  else if (before.paused && !member.paused) say(world, queue, 'unpause', member);
}

/** What tells whose a member is. */
function samePerson(a: QueueMember, b: QueueMember): boolean {
  return a.name === b.name && a.stateInterface === b.stateInterface && a.dynamic === b.dynamic;
}

/** A member is there no more. The change still counts it to the queue: it concerns whoever it was. */
export function removeMember(world: World, queue: Queue, member: QueueMember): void {
  if (!queue.members.delete(member.interface)) return;
  say(world, queue, 'logout', member);
  queue.roster = [...queue.members.values()];
}

/** An event about a member. One that was not known is a doubt, unless it comes. */
export function memberEvent(
  world: World,
  type: 'queue-member-added' | 'queue-member-removed' | 'queue-member-changed',
  member: QueueMember,
): void {
  const queue = queueNamed(world, member.queue);
  if (type === 'queue-member-removed') {
    removeMember(world, queue, member);
    return;
  }
  if (type === 'queue-member-changed' && !queue.members.has(member.interface)) world.doubt = true;
  setMember(world, queue, member);
}

/** A member is rung: one that is not known came with a reload, of which nothing is told. */
export function doubtUnknownMember(world: World, queue: string, member: string): void {
  const known = world.queues.get(keyOf(queue));
  if (known === undefined || !known.members.has(member)) world.doubt = true;
}
