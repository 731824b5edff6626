/** The whole truth replaces what is known; what differs from what was told is told. */

import type { PbxEvent, Snapshot, SnapshotChannel } from '../pbx/events.ts';
import type { ListedQueue, QueueMember } from '../pbx/pbx.ts';
import { setOut, settleAll } from './leaving.ts';
import { removeMember, setMember } from './members.ts';
import type { Remembered } from './queues.ts';
import { enter } from './waiting.ts';
import {
  addQueue,
  createWorld,
  decide,
  keyOf,
  newWaiting,
  type Queue,
  tell,
  type Waiting,
  type World,
} from './world.ts';

/** Takes in what an earlier bridge has told. Of what is known already, that counts. Says whether anything was not. */
export function restore(world: World, { members, calls }: Remembered): boolean {
  const changed = new Set<Queue>();
  const named = (name: string) => world.queues.get(keyOf(name)) ?? addQueue(world, name);
  for (const { member, sure } of members) {
    const queue = named(member.queue);
    if (queue.members.has(member.interface)) continue;
    queue.members.set(member.interface, member);
    if (!sure) world.unsure.members.push([queue, member]);
    changed.add(queue);
  }
  for (const queue of changed) queue.roster = [...queue.members.values()];
  for (const { queue: name, call, sure } of calls) {
    if (world.waiting.has(call.uniqueId) || world.departures.has(call.uniqueId)) continue;
    const queue = named(name);
    // In which extension it called the queue, the next list shows.
    const waiting = newWaiting(queue, call, '');
    queue.waiting.push(waiting);
    world.waiting.set(call.uniqueId, waiting);
    if (!sure) world.unsure.calls.push(waiting);
    changed.add(queue);
  }
  return changed.size > 0;
}

/** A snapshot came: the queues follow. What the feed was about to say of departures never comes. */
export function noteSnapshot(world: World, snapshot: Snapshot): void {
  world.channels = new Map(snapshot.channels.map((channel) => [channel.uniqueId, channel]));
  settleAll(world);
}

/**
 * Makes the world as the list has it. `reduce` takes in what came while the list was read; what that would tell is in the difference.
 */
export function resync(
  world: World,
  queues: readonly ListedQueue[],
  meanwhile: readonly PbxEvent[],
  reduce: (world: World, event: PbxEvent) => void,
): void {
  const { channels } = world;
  const truth = createWorld(world.at);
  truth.channels = channels;
  for (const listed of queues) takeIn(truth, listed);
  for (const event of meanwhile) reduce(truth, event);
  truth.at = world.at;

  for (const [key, queue] of [...world.queues]) {
    const now = truth.queues.get(key);
    for (const member of [...queue.members.values()])
      if (now === undefined || !now.members.has(member.interface)) removeMember(world, queue, member);
    for (const waiting of [...queue.waiting])
      if (truth.waiting.get(waiting.call.uniqueId)?.queue !== now || now === undefined) lose(world, waiting);
    if (now === undefined && queue.untold.length === 0) world.queues.delete(key);
  }
  forgetUnsure(world);
  for (const [key, now] of truth.queues) {
    const queue = world.queues.get(key) ?? addQueue(world, now.name);
    for (const member of now.members.values()) setMember(world, queue, member);
    arrange(world, queue, now.waiting);
  }
  world.channels = undefined;
  world.doubt = truth.doubt;
}

/** What there is, and perhaps nobody heard of: with nothing known of it, it is told as if it had just come. */
function forgetUnsure(world: World): void {
  const { members, calls } = world.unsure;
  for (const [queue, member] of members)
    if (queue.members.get(member.interface) === member) queue.members.delete(member.interface);
  // Who has heard of it takes it out first, so that those around it are in order whenever they are told of.
  for (const waiting of calls)
    if (world.waiting.get(waiting.call.uniqueId) === waiting) unseat(world, waiting);
  world.unsure = { members: [], calls: [] };
}

function takeIn(truth: World, listed: ListedQueue): void {
  const queue = addQueue(truth, listed.name);
  for (const member of listed.members) queue.members.set(member.interface, member);
  for (const entry of listed.entries) {
    const call = {
      channel: entry.channel,
      uniqueId: entry.uniqueId,
      number: entry.callerNumber,
      name: entry.callerName,
      since: truth.at - entry.waited * 1000,
    };
    const waiting = newWaiting(queue, call, truth.channels?.get(entry.uniqueId)?.exten ?? '');
    queue.waiting.push(waiting);
    truth.waiting.set(entry.uniqueId, waiting);
  }
}

/** A call that waits no longer, and nobody said so: its events are still to come, or were missed while the feed was away. */
function lose(world: World, waiting: Waiting): void {
  const departure = setOut(world, waiting);
  if (departure.told !== undefined || world.channels === undefined) return;
  const channel = world.channels.get(waiting.call.uniqueId);
  if (channel === undefined) decide(world, departure, 'abandoned');
  else if (channel.bridgeId === '') decide(world, departure, 'transferred');
  else decide(world, departure, 'connected', talkingTo(world.channels, channel, waiting.queue));
}

/** The member that a channel talks to; undefined where that is nobody's device whose state the queue goes by. */
function talkingTo(
  channels: ReadonlyMap<string, SnapshotChannel>,
  channel: SnapshotChannel,
  { members }: Queue,
): QueueMember | undefined {
  for (const each of channels.values()) {
    if (each.bridgeId !== channel.bridgeId || each === channel) continue;
    const device = each.name.slice(0, each.name.lastIndexOf('-'));
    for (const member of members.values())
      if (device === member.stateInterface || device === member.interface.replace(/\/n$/, '')) return member;
  }
  return undefined;
}

/** Brings the waiting list of a queue into the order of the truth: new calls join, few of those that stand elsewhere move. */
function arrange(world: World, queue: Queue, order: readonly Waiting[]): void {
  for (const [index, wanted] of order.entries()) {
    const { uniqueId } = wanted.call;
    const present = world.waiting.get(uniqueId);
    if (present !== undefined) present.exten ||= wanted.exten;
    if (queue.waiting[index]?.call.uniqueId === uniqueId) continue;
    if (present === undefined) enter(world, queue, { ...wanted, queue }, index + 1);
    else move(world, present, index + 1);
  }
}

function move(world: World, waiting: Waiting, position: number): void {
  unseat(world, waiting);
  enter(world, waiting.queue, waiting, position);
}

/** Takes a call out of the list that is to wait elsewhere in it. */
function unseat(world: World, waiting: Waiting): void {
  const { queue, call } = waiting;
  const before = queue.waiting.indexOf(waiting);
  queue.waiting.splice(before, 1);
  world.waiting.delete(call.uniqueId);
  tell(world, queue, {
    kind: 'queue-leave',
    queue: queue.name,
    call,
    position: before + 1,
    reason: 'moved',
    member: undefined,
    roster: queue.roster,
    at: world.at,
  });
}
