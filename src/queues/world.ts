/** The state behind the queue model. Mutable, and seen by this folder only. */

import { type Bounded, type CountedBound, createBound } from '../bounds.ts';
import type { SnapshotChannel } from '../pbx/events.ts';
import type { QueueMember } from '../pbx/pbx.ts';
import type { LeaveReason, QueueCall, QueueChange, QueueLeaveChange } from './changes.ts';

/** One queue. */
export interface Queue {
  readonly name: string;
  /** By interface. */
  readonly members: Map<string, QueueMember>;
  /** Replaced whenever somebody comes or goes; see `Roster`. */
  roster: readonly QueueMember[];
  readonly waiting: Waiting[];
  /** What is to be told, in order, from the first departure on whose reason is not known yet. */
  readonly untold: (QueueChange | Departure)[];
}

/** A call that waits. */
export interface Waiting {
  readonly call: QueueCall;
  readonly queue: Queue;
  /** Extension in which it called the application Queue; empty where that was not seen. */
  exten: string;
  /** Its caller hangs up. */
  ending: boolean;
  /** Members that ring for it: their interfaces by the unique ids of their channels. */
  readonly rings: Map<string, string>;
  /** Interface of the member that answered. */
  takenBy: string;
  /** app_queue gave it up: the caller hung up, its time ran out, or it was sent elsewhere. */
  givenUp: boolean;
}

/** A call that waits no longer, and of which the next events will tell why. */
export interface Departure {
  readonly kind: 'departure';
  readonly waiting: Waiting;
  readonly position: number;
  /** Where the channel was in the dialplan when it left; 0 where unknown. */
  readonly priority: number;
  readonly at: number;
  /** Made once the reason is known. */
  told: QueueLeaveChange | undefined;
}

/** Everything. */
export interface World extends Bounded {
  /** How many queues and waiting calls are followed: further ones are not there. */
  readonly room: {
    readonly queues: CountedBound;
    readonly calls: CountedBound;
    readonly members: CountedBound;
  };
  /** By name in lower case. */
  readonly queues: Map<string, Queue>;
  /** By unique id: a channel waits in one queue at a time. */
  readonly waiting: Map<string, Waiting>;
  /** By unique id. */
  readonly departures: Map<string, Departure>;
  /** What is told by the present event. */
  out: QueueChange[];
  /** Time of the present event, epoch milliseconds. */
  at: number;
  doubt: boolean;
  /** What an earlier bridge has told, and nobody knows whether it has arrived. */
  unsure: { readonly members: (readonly [Queue, QueueMember])[]; readonly calls: Waiting[] };
  /** Channels of the snapshot that has just come, until the queues that follow it. */
  channels: ReadonlyMap<string, SnapshotChannel> | undefined;
}

const maxQueues = 10_000;
const maxCalls = 100_000;
/** Of one queue. */
const maxMembers = 10_000;

/** An empty one. */
export function createWorld(at = 0): World {
  const queues = new Map<string, Queue>();
  const waiting = new Map<string, Waiting>();
  const room = {
    queues: createBound('queues', maxQueues, () => queues.size),
    calls: createBound('queue_calls', maxCalls, () => waiting.size),
    members: createBound('queue_members', maxMembers, () => largest(queues)),
  };
  return {
    bounds: Object.values(room),
    room,
    queues,
    waiting,
    departures: new Map(),
    out: [],
    at,
    doubt: false,
    unsure: { members: [], calls: [] },
    channels: undefined,
  };
}

function largest(queues: ReadonlyMap<string, Queue>): number {
  let most = 0;
  for (const { members } of queues.values()) most = Math.max(most, members.size);
  return most;
}

/** A call as it begins to wait. */
export function newWaiting(queue: Queue, call: QueueCall, exten: string): Waiting {
  return { call, queue, exten, ending: false, rings: new Map(), takenBy: '', givenUp: false };
}

/** The key of a queue: app_queue compares names without regard to case. */
export function keyOf(name: string): string {
  return name.toLowerCase();
}

/** The queue of that name; made where an event tells of one that is not known, which is a doubt. */
export function queueNamed(world: World, name: string): Queue {
  const known = world.queues.get(keyOf(name));
  if (known !== undefined) return known;
  world.doubt = true;
  return addQueue(world, name);
}

/** A new queue with nobody in it. Where there is no room for it, nobody hears of it. */
export function addQueue(world: World, name: string): Queue {
  const made: Queue = { name, members: new Map(), roster: [], waiting: [], untold: [] };
  if (world.room.queues.admits()) world.queues.set(keyOf(name), made);
  return made;
}

/** Tells a change, after what is to be told of the queue before it. */
export function tell(world: World, queue: Queue, change: QueueChange): void {
  if (queue.untold.length === 0) world.out.push(change);
  else queue.untold.push(change);
}

/** Says why a call left, and tells what waited for that. */
export function decide(world: World, departure: Departure, reason: LeaveReason, member?: QueueMember): void {
  const { call, queue } = departure.waiting;
  departure.told = {
    kind: 'queue-leave',
    queue: queue.name,
    call,
    position: departure.position,
    reason,
    member,
    roster: queue.roster,
    at: departure.at,
  };
  if (world.departures.get(call.uniqueId) === departure) world.departures.delete(call.uniqueId);
  flush(world, queue);
}

function flush(world: World, queue: Queue): void {
  let told = 0;
  for (const each of queue.untold) {
    const change = each.kind === 'departure' ? each.told : each;
    if (change === undefined) break;
    world.out.push(change);
    told += 1;
  }
  queue.untold.splice(0, told);
}
