/** The waiting list: who joins it where, and who leaves it. */

import type { Channel } from '../pbx/events.ts';
import type { QueueCall } from './changes.ts';
import { forget, setOut } from './leaving.ts';
import { newWaiting, type Queue, queueNamed, tell, type Waiting, type World } from './world.ts';

/** Puts a call into the list and tells of it. `position` from 1; beyond the end is the end. */
export function enter(world: World, queue: Queue, waiting: Waiting, position: number): void {
  if (!world.waiting.has(waiting.call.uniqueId) && !world.room.calls.admits()) return;
  const index = Math.min(Math.max(position, 1) - 1, queue.waiting.length);
  queue.waiting.splice(index, 0, waiting);
  world.waiting.set(waiting.call.uniqueId, waiting);
  const { name, roster } = queue;
  const { call } = waiting;
  tell(world, queue, { kind: 'queue-join', queue: name, call, position: index + 1, roster, at: world.at });
}

/** A channel as a call that waits from now on. */
export function callOf(channel: Channel, since: number): QueueCall {
  return {
    channel: channel.name,
    uniqueId: channel.uniqueId,
    number: channel.callerNumber,
    name: channel.callerName,
    since,
  };
}

/** A caller joins. The event's place counts: priorities let callers in ahead of others. */
export function join(
  world: World,
  event: { channel: Channel; queue: string; position: number; count: number },
): void {
  const queue = queueNamed(world, event.queue);
  const present = world.waiting.get(event.channel.uniqueId);
  // The list that told of it first was younger than the event.
  if (present?.queue === queue) return;
  if (present !== undefined) setOut(world, present);
  forget(world, event.channel.uniqueId);
  const call = callOf(event.channel, world.at);
  enter(world, queue, newWaiting(queue, call, event.channel.exten), event.position);
  if (event.count > 0 && event.count !== queue.waiting.length) world.doubt = true;
}

/** A caller leaves. */
export function leave(
  world: World,
  event: { channel: Channel; queue: string; position: number; count: number; priority?: number },
): void {
  const waiting = world.waiting.get(event.channel.uniqueId);
  if (waiting === undefined) return;
  const { queue } = waiting;
  const position = queue.waiting.indexOf(waiting) + 1;
  setOut(world, waiting, event.channel.exten, event.priority);
  // Priorities of callers change without an event: the place it had shows that others are elsewhere, too.
  if (event.position > 0 && event.position !== position) world.doubt = true;
  if (event.count !== queue.waiting.length) world.doubt = true;
}

/**
 * Somebody else waits in the place of a caller: an attended transfer into the queue, by the one who waited. What else may come to wait in
 * somebody's place is found by the end of the channel that waited.
 */
export function takePlace(world: World, transferer: Channel, transferee: Channel | undefined): void {
  const waiting = world.waiting.get(transferer.uniqueId);
  if (waiting === undefined || transferee === undefined) return;
  const { queue, exten } = waiting;
  const position = queue.waiting.indexOf(waiting) + 1;
  setOut(world, waiting);
  forget(world, waiting.call.uniqueId);
  enter(world, queue, newWaiting(queue, callOf(transferee, waiting.call.since), exten), position);
}
