/**
 * Why a call left a queue. app_queue.c says so in pieces: DialEnd and AgentConnect tell of the member that takes a call, the one before
 * the leaving and the other after it; QueueCallerAbandon comes before the leaving of everybody whom nobody took, be it that they hung up, that
 * their time ran out or that they were sent elsewhere. What is not plain by then, the channel's next step shows: it goes on in the
 * dialplan, or ends.
 */

import type { Channel } from '../pbx/events.ts';
import type { QueueMember } from '../pbx/pbx.ts';
import { type Departure, decide, keyOf, type Waiting, type World } from './world.ts';

/** The next step follows within milliseconds. After this long, and after so many changes of the queue, it is not waited for. */
const patienceMs = 1000;
const patience = 200;

/** A member is rung for a caller. */
export function rings(world: World, event: { caller: Channel; dest: Channel; interface: string }): void {
  const waiting = world.waiting.get(event.caller.uniqueId);
  if (waiting === undefined) return;
  waiting.rings.set(event.dest.uniqueId, event.interface);
  waiting.takenBy = '';
}

/** A member answered, or rings no more. */
export function rangOut(world: World, caller: Channel | undefined, dest: Channel, status: string): void {
  const waiting = caller && world.waiting.get(caller.uniqueId);
  if (waiting === undefined) return;
  if (status === 'ANSWER') waiting.takenBy = waiting.rings.get(dest.uniqueId) ?? '';
  waiting.rings.delete(dest.uniqueId);
}

/** A caller asks for the end of its call. */
export function ending(world: World, channel: Channel): void {
  const waiting = world.waiting.get(channel.uniqueId);
  if (waiting !== undefined) waiting.ending = true;
}

/** app_queue gives a caller up. */
export function givenUp(world: World, channel: Channel): void {
  const waiting = world.waiting.get(channel.uniqueId) ?? world.departures.get(channel.uniqueId)?.waiting;
  if (waiting !== undefined) waiting.givenUp = true;
}

/**
 * Takes a call out of its list. `exten` and `priority` are where its channel is now: elsewhere than where it waited, it was sent there.
 */
export function setOut(world: World, waiting: Waiting, exten = waiting.exten, priority = 0): Departure {
  const { queue, call, takenBy } = waiting;
  const index = queue.waiting.indexOf(waiting);
  queue.waiting.splice(index, 1);
  world.waiting.delete(call.uniqueId);
  forget(world, call.uniqueId);
  const departure: Departure = {
    kind: 'departure',
    waiting,
    position: index + 1,
    priority,
    at: world.at,
    told: undefined,
  };
  queue.untold.push(departure);
  world.departures.set(call.uniqueId, departure);
  if (!waiting.givenUp) {
    if (takenBy !== '')
      decide(world, departure, 'connected', queue.members.get(takenBy) ?? stranger(queue.name, takenBy));
  } else if (isElsewhere(waiting, exten)) decide(world, departure, 'transferred');
  else if (waiting.ending) decide(world, departure, 'abandoned');
  return departure;
}

function isElsewhere(waiting: Waiting, exten: string): boolean {
  return waiting.exten !== '' && exten !== waiting.exten;
}

/** Tells of departures whose reason does not come, as of what is the likeliest: a member hears an announcement first, or nothing more is told. */
export function settleOld(world: World): void {
  for (const departure of world.departures.values()) {
    if (world.at - departure.at <= patienceMs && departure.waiting.queue.untold.length <= patience) return;
    settle(world, departure);
  }
}

/** The same for all of them: their reasons were missed. */
export function settleAll(world: World): void {
  for (const departure of [...world.departures.values()]) settle(world, departure);
}

function settle(world: World, departure: Departure): void {
  decide(world, departure, departure.waiting.givenUp ? 'timeout' : 'connected');
}

/** The call is needed elsewhere: its departure, if one is open, is told now. */
export function forget(world: World, uniqueId: string): void {
  const departure = world.departures.get(uniqueId);
  if (departure !== undefined) decide(world, departure, 'transferred');
}

/** A member took the call. */
export function connected(world: World, event: { caller: Channel; queue: string; interface: string }): void {
  const departure = world.departures.get(event.caller.uniqueId);
  if (departure === undefined) return;
  const known = world.queues.get(keyOf(event.queue))?.members.get(event.interface);
  decide(world, departure, 'connected', known ?? stranger(event.queue, event.interface));
}

/** A member that the list does not have (any more). */
function stranger(queue: string, name: string): QueueMember {
  return {
    queue,
    interface: name,
    stateInterface: name,
    name,
    dynamic: false,
    penalty: 0,
    paused: false,
    pausedReason: '',
  };
}

/** The channel goes on in the dialplan. */
export function wentOn(world: World, channel: Channel): void {
  const departure = world.departures.get(channel.uniqueId);
  if (departure === undefined) return;
  const { waiting } = departure;
  const inPlace = waiting.givenUp && !isElsewhere(waiting, channel.exten);
  decide(world, departure, inPlace ? 'timeout' : 'transferred');
}

/** The channel ended. One that still waits was put out of its place unseen, and somebody else may wait there. */
export function ended(world: World, channel: Channel, priority: number): void {
  const waiting = world.waiting.get(channel.uniqueId);
  if (waiting !== undefined) world.doubt = true;
  const departure = waiting === undefined ? world.departures.get(channel.uniqueId) : setOut(world, waiting);
  if (departure === undefined || departure.told !== undefined) return;
  // The dialplan had a step to take after Queue, or looked for one: nobody hung up.
  const steppedOn = departure.priority > 0 && priority > departure.priority;
  decide(world, departure, steppedOn ? 'timeout' : 'abandoned');
}
