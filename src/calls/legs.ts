/** Channels come and go: how one is met, what is known of it at first sight, and how it is forgotten. */

import type { Channel } from '../pbx/events.ts';
import type { DeviceName } from '../pbx/pbx.ts';
import type { Party } from './changes.ts';
import { type Call, type Group, type Leg, nobody, party } from './leg.ts';
import { leave } from './rooms.ts';
import type { World } from './world.ts';

// A channel's state only ever goes up; an event that says less is older than what is known.
const rank = { other: 0, down: 0, ring: 1, ringing: 1, busy: 1, up: 2 } as const;

/** The leg of a channel, its particulars brought up to date. Undefined for one that has ended, or is too many. Adopts one that is new. */
export function meet(world: World, channel: Channel, application = ''): Leg | undefined {
  const leg = world.legs.get(channel.uniqueId);
  if (leg === undefined) {
    if (world.ended.has(channel.uniqueId) || !world.room.admits()) return undefined;
    return adopt(world, channel, application);
  }
  leg.name = channel.name;
  if (rank[channel.state] >= rank[leg.state]) leg.state = channel.state;
  leg.caller = renewed(leg.caller, channel.callerNumber, channel.callerName);
  leg.connected = renewed(leg.connected, channel.connectedNumber, channel.connectedName);
  leg.exten = channel.exten;
  const call = leg.call;
  if (call?.origin === true && leg.state !== 'up') call.stale = leg.connected;
  if (leg.group.id !== channel.linkedId) regroup(world, leg, channel.linkedId);
  return leg;
}

/**
 * The leg of a channel that an event only mentions. Its particulars may be older than what is known (transfers are
 * described as they began), so they count only where the channel is new.
 */
export function recognize(world: World, channel: Channel | undefined): Leg | undefined {
  if (channel === undefined) return undefined;
  return world.legs.get(channel.uniqueId) ?? meet(world, channel);
}

function renewed(old: Party, number: string, name: string): Party {
  return old.number === number && old.name === name ? old : party(number, name);
}

/** What names a channel. */
type Named = Pick<Channel, 'uniqueId' | 'name' | 'linkedId'>;

/** A leg of which nothing else is known, in its group. */
export function blankLeg(world: World, { uniqueId, name, linkedId }: Named): Leg {
  const group = join(world, linkedId);
  const leg: Leg = {
    uniqueId,
    name,
    state: 'down',
    caller: nobody,
    connected: nobody,
    exten: '',
    group,
    room: undefined,
    local: name.startsWith('Local/'),
    half: undefined,
    dials: new Set(),
    dialedBy: undefined,
    dialStatus: '',
    dialExten: '',
    dialResult: '',
    alerting: false,
    service: '',
    held: false,
    holds: undefined,
    parked: '',
    requested: undefined,
    lost: false,
    forwarded: false,
    call: undefined,
  };
  world.legs.set(uniqueId, leg);
  if (uniqueId === group.id) group.root = leg;
  return leg;
}

function adopt(world: World, channel: Channel, application: string): Leg {
  const leg = blankLeg(world, channel);
  const { group } = leg;
  leg.state = channel.state;
  leg.caller = party(channel.callerNumber, channel.callerName);
  leg.connected = party(channel.connectedNumber, channel.connectedName);
  leg.exten = channel.exten;
  if (leg.local) pair(world, leg);
  if (leg.local && leg.uniqueId === group.id && leg.state === 'down') group.origin = leg;
  own(world, leg, application);
  return leg;
}

/** Sees whose channel it is: a user's from now on where the device is one that counts. */
export function own(world: World, leg: Leg, application: string): void {
  if (leg.call !== undefined) return;
  const device = world.deviceOf(leg.name);
  if (device !== undefined) {
    const expected = world.expected.has(leg.uniqueId);
    begin(world, leg, device, expected ? 'originated' : direction(leg, application));
  }
}

/**
 * Who calls whom, from the channel alone: nothing else is sure to come before the telephone rings. A channel that
 * Dial or Queue makes inherits the Linkedid of the one that dials; what Originate makes has its own (channel.c).
 */
function direction(leg: Leg, application: string): 'called' | 'calling' | 'originated' {
  if (application === 'AppDial' || application === 'AppQueue') return 'called';
  if (application === 'AppDial2') return 'originated';
  // A called channel that was transferred runs applications of its own, but still is of the group of the one who called it.
  // Whoever fetches a parked call has joined its group, too, but dialled.
  const joined = application !== '' && application !== 'ParkedCall';
  if (joined && leg.state === 'up' && leg.group.id !== leg.uniqueId) return 'called';
  if (application !== '' || leg.state === 'ring') return 'calling';
  const origin = leg.group.origin;
  const own = leg.group.id === leg.uniqueId || (origin !== undefined && origin.state !== 'up');
  if (leg.state === 'down' || leg.state === 'ringing') return own ? 'originated' : 'called';
  return !own && (leg.exten === '' || leg.exten === 's') ? 'called' : 'calling';
}

function begin(world: World, leg: Leg, device: DeviceName, role: 'called' | 'calling' | 'originated'): void {
  const expected = world.expected.get(leg.uniqueId);
  const taken = expected?.taken;
  world.expected.delete(leg.uniqueId);
  const dialed = role === 'calling' && leg.exten !== 's' ? leg.exten : (expected?.number ?? '');
  const call: Call = {
    channel: leg.name,
    device,
    since: world.at,
    outbound: role !== 'called' && taken === undefined,
    origin: role === 'originated',
    dialed,
    stale: role === 'originated' && leg.state !== 'up' ? leg.connected : undefined,
    phase: 'new',
    scripted: false,
    hidden: false,
    other: taken?.other ?? (role === 'called' ? nobody : party(dialed, '')),
    ref: undefined,
    talked: undefined,
    talkedAs: nobody,
    talks: false,
    refChannel: taken?.refChannel ?? '',
    otherDevice: taken?.otherDevice ?? '',
    busySince: 0,
    upSince: leg.state === 'up' ? world.at : 0,
    held: false,
    remoteHeld: false,
    declined: '',
    service: '',
    queue: taken?.queue ?? (role === 'called' ? leg.group.queue : ''),
    from: nobody,
    transfer: '',
    redirected: false,
    pickup: '',
  };
  admit(world, leg, call);
}

/** The leg is a user's channel from now on. */
export function admit(world: World, leg: Leg, call: Call): void {
  leg.call = call;
  world.calls.set(call.channel, leg);
  const siblings = world.byDevice.get(call.device);
  if (siblings === undefined) world.byDevice.set(call.device, new Set([leg]));
  else siblings.add(leg);
}

/** Takes a leg out of the world, and out of everything that still points to it. */
export function remove(world: World, leg: Leg): void {
  leave(world, leg);
  for (const dest of leg.dials) if (dest.dialedBy === leg) dest.dialedBy = undefined;
  leg.dials.clear();
  leg.dialedBy?.dials.delete(leg);
  leg.dialedBy = undefined;
  leg.holds = undefined;
  if (leg.half !== undefined) leg.half.half = undefined;
  leg.half = undefined;
  if (leg.local) world.halves.delete(leg.name);
  if (leg.group.origin === leg) leg.group.origin = undefined;
  if (leg.group.root === leg) leg.group.root = undefined;
  part(world, leg.group);
  world.legs.delete(leg.uniqueId);
  world.ended.add(leg.uniqueId);
  const call = leg.call;
  if (call === undefined) return;
  call.ref = undefined;
  call.talked = undefined;
  if (world.calls.get(call.channel) === leg) world.calls.delete(call.channel);
  const siblings = world.byDevice.get(call.device);
  siblings?.delete(leg);
  if (siblings?.size === 0) world.byDevice.delete(call.device);
}

// Halves find each other by name, ";1" and ";2" (core_unreal.c), also where LocalBridge was missed.
function pair(world: World, leg: Leg): void {
  world.halves.set(leg.name, leg);
  const other = leg.name.endsWith(';1') ? `${leg.name.slice(0, -1)}2` : `${leg.name.slice(0, -1)}1`;
  const half = world.halves.get(other);
  if (half === undefined || half === leg) return;
  leg.half = half;
  half.half = leg;
}

function join(world: World, id: string): Group {
  let group = world.groups.get(id);
  if (group === undefined) {
    group = { id, size: 0, root: undefined, from: undefined, queue: '', origin: undefined };
    world.groups.set(id, group);
  }
  group.size += 1;
  return group;
}

function part(world: World, group: Group): void {
  group.size -= 1;
  if (group.size === 0) world.groups.delete(group.id);
}

function regroup(world: World, leg: Leg, id: string): void {
  part(world, leg.group);
  leg.group = join(world, id);
}
