/** After the feed was away: the snapshot becomes the state, and what differs from what was told is told. */

import type { Snapshot, SnapshotChannel } from '../pbx/events.ts';
import { ringsSomebody, talkingTo } from './across.ts';
import { noteApplication } from './channels.ts';
import { noteDevice } from './devices.ts';
import { link } from './dial.ts';
import { end } from './hangup.ts';
import { noteRemoteHold } from './hold.ts';
import { type Leg, nobody } from './leg.ts';
import { meet, own } from './legs.ts';
import { recallHolds } from './memory.ts';
import { enter, leave } from './rooms.ts';
import { meaningOf } from './services.ts';
import { answer, settle } from './settle.ts';
import { type Slices, sliced } from './slices.ts';
import type { World } from './world.ts';

/**
 * Replaces the state, in slices of a few milliseconds: a snapshot of thousands of channels must not keep everything else waiting. What
 * arrived while the lists were read is the caller's to apply on top.
 */
export function* resync(world: World, snapshot: Snapshot): Slices {
  const present = new Set(snapshot.channels.map((channel) => channel.uniqueId));
  yield* sliced([...world.legs.values()], (leg) => {
    if (!present.has(leg.uniqueId)) end(world, leg, leg.call?.phase === 'busy' ? 'normal' : 'unknown');
  });
  for (const id of world.lingering.keys()) if (!present.has(id)) world.lingering.delete(id);
  const legs = new Map<Leg, SnapshotChannel>();
  yield* sliced(snapshot.channels, (channel) => takeIn(world, channel, legs));
  yield* seat(world, snapshot, legs);
  endDials(legs);
  yield;
  yield* linkDials(legs);
  leaveQueues(legs);
  yield;
  yield* sliced(legs.keys(), (leg) => {
    // Fetched meanwhile: when it is parked again, that is news.
    if (leg.room?.type !== 'parking') leg.parked = '';
  });
  recallHolds(world, legs.keys());
  const onHold = yield* keepHolds(snapshot, legs);
  yield* sliced(snapshot.devices, ([device, state]) => noteDevice(world, device, state));
  yield* sliced(legs.keys(), (leg) => settle(world, leg));
  yield* sliced(legs, ([leg, channel]) => settleUp(world, leg, channel.application));
  // Whoever talks is held by the one at the other side, or is not; of the others the device's word counts.
  yield* sliced(onHold, ([leg, held]) => {
    if (talkingTo(leg) === undefined) noteRemoteHold(world, leg, held);
  });
}

/**
 * A telephone that is off the hook is busy, also where the one it talks to is just coming or going, or was parked from
 * under it. Not so a click-to-dial that still rings its target, nor a call whose service is about to be named.
 */
function settleUp(world: World, leg: Leg, application: string): void {
  const call = leg.call;
  if (call === undefined || call.hidden || call.phase === 'busy' || leg.state !== 'up') return;
  if (call.origin && (application !== 'Dial' || ringsSomebody(leg) || leg.connected === call.stale)) return;
  // About to take somebody's call: the Pickup event will say whose.
  if (application === 'Pickup' || application === 'PickupChan') return;
  const meaning = meaningOf(application);
  if (application === '' || (meaning !== 'connecting' && meaning !== 'passing')) return;
  // A caller that knows nobody yet is about to be connected, or to be answered by a service.
  if (!call.outbound || leg.connected !== nobody) answer(world, leg, call, '');
}

/** A channel, with the application that says what it is there for. */
function takeIn(world: World, channel: SnapshotChannel, legs: Map<Leg, SnapshotChannel>): void {
  const now = world.at;
  // A channel that is new to the model began when it began, not when it was seen.
  world.at = Math.max(1, now - channel.seconds * 1000);
  const leg = meet(world, channel, channel.application);
  world.at = now;
  if (leg === undefined) return;
  own(world, leg, channel.application);
  legs.set(leg, channel);
  if (channel.application === 'AppDial' || channel.application === 'AppQueue') becomeCalled(leg);
  if (leg.call !== undefined) leg.call.scripted = true;
  const meaning = noteApplication(leg, channel.application, channel.applicationData);
  // Dial has told it whom it rings, and goes on to ring.
  const dials = channel.application === 'Dial' || (meaning === 'passing' && channel.application !== '');
  if (dials && leg.state === 'ring' && leg.connected !== nobody) leg.alerting = true;
}

/** A caller that is a called channel now picked somebody's call up; nothing was told of it yet. */
function becomeCalled(leg: Leg): void {
  const call = leg.call;
  if (call === undefined || call.phase !== 'new' || !call.outbound) return;
  call.outbound = false;
  call.dialed = '';
  call.other = nobody;
}

/** Who is in which bridge. */
function* seat(world: World, snapshot: Snapshot, legs: ReadonlyMap<Leg, SnapshotChannel>): Slices {
  yield* sliced(world.legs.values(), (leg) => leave(world, leg));
  const types = new Map(snapshot.bridges.map((bridge) => [bridge.id, bridge.type]));
  yield* sliced(legs, ([leg, channel]) => {
    if (channel.bridgeId === '') return;
    // Where bridges could not be listed, the application says as much.
    const type = types.get(channel.bridgeId) ?? (leg.service === 'conference' ? 'base' : '');
    enter(world, leg, channel.bridgeId, type);
  });
  yield* sliced(snapshot.bridges, (bridge) => {
    for (const id of bridge.channels) {
      const leg = world.legs.get(id);
      if (leg !== undefined && leg.room?.id !== bridge.id) enter(world, leg, bridge.id, bridge.type);
    }
  });
}

/** Whatever was being rung and is up by now has answered. */
function endDials(legs: ReadonlyMap<Leg, SnapshotChannel>): void {
  for (const leg of legs.keys()) {
    if (leg.dialedBy === undefined || leg.dialStatus !== '' || leg.state !== 'up') continue;
    leg.dialStatus = 'ANSWER';
    leg.dialedBy.dialResult = 'ANSWER';
  }
}

/**
 * Queue runs on while its caller talks to a member, and for a moment before and after: when a member is up, or when the
 * caller knows one and none is rung.
 */
function leaveQueues(legs: ReadonlyMap<Leg, SnapshotChannel>): void {
  const members = new Map<string, boolean>();
  for (const [leg, { application }] of legs) {
    if (application !== 'AppQueue') continue;
    members.set(leg.group.id, members.get(leg.group.id) === true || leg.state === 'up');
  }
  for (const [leg, { application }] of legs) {
    if (application !== 'Queue' || !(members.get(leg.group.id) ?? leg.connected !== nobody)) continue;
    leg.service = '';
    if (leg.call?.service === 'queue') leg.call.service = '';
  }
}

/**
 * Who rings whom: no list tells. A called channel is rung by one of its group whose Dial names its device, or by the
 * only one that dials there.
 */
function* linkDials(legs: ReadonlyMap<Leg, SnapshotChannel>): Slices {
  const callers = new Map<string, Leg[]>();
  for (const [leg, channel] of legs) {
    const dials = channel.application === 'Dial' || channel.application === 'Queue';
    if (!dials || channel.bridgeId !== '') continue;
    const group = callers.get(leg.group.id);
    if (group === undefined) callers.set(leg.group.id, [leg]);
    else group.push(leg);
  }
  yield* sliced(legs, ([leg, channel]) => {
    const called = channel.application === 'AppDial' || channel.application === 'AppQueue';
    // One that is up and in no bridge has answered this moment.
    if (!called || (leg.state === 'up' && leg.room !== undefined)) return;
    const group = (callers.get(leg.group.id) ?? []).filter((caller) => caller !== leg && caller !== leg.half);
    const named = group.find(
      (caller) => legs.get(caller)?.applicationData.includes(deviceName(leg)) === true,
    );
    const caller = named ?? (group.length === 1 && leg.state !== 'up' ? group[0] : undefined);
    if (leg.state === 'up' && caller?.state === 'up') return;
    if (caller === undefined || leg.dialedBy === caller) return;
    link(caller, leg);
    leg.dialStatus = '';
    leg.dialExten = caller.exten;
  });
}

/**
 * Hold is in no list. What was known stays as long as the held one talks to nobody else; and a device that has one channel
 * only shows by its state whether that is held (devicestate.h: `ONHOLD` is the held one's).
 */
function* keepHolds(
  snapshot: Snapshot,
  legs: ReadonlyMap<Leg, SnapshotChannel>,
): Generator<void, Map<Leg, boolean>> {
  const alone = new Map<string, Leg | undefined>();
  yield* sliced(legs.keys(), (leg) => {
    alone.set(deviceName(leg), alone.has(deviceName(leg)) ? undefined : leg);
  });
  const shown = new Map<Leg, boolean>();
  yield* sliced(snapshot.devices, ([device, state]) => {
    const leg = alone.get(device);
    if (leg !== undefined && state !== 'UNKNOWN') shown.set(leg, state === 'ONHOLD');
  });
  const held = new Set<Leg>();
  yield* sliced(legs.keys(), (leg) => {
    if (!leg.held) return;
    const other = leg.holds === undefined ? undefined : talkingTo(leg.holds);
    const goes = leg.holds === undefined || !legs.has(leg.holds) || (other !== undefined && other !== leg);
    if (leg.holds !== undefined && !goes && shown.get(leg.holds) !== false) {
      held.add(leg.holds);
      return;
    }
    leg.held = false;
    leg.holds = undefined;
  });
  yield* sliced(legs.keys(), (leg) => {
    const far = talkingTo(leg);
    if (far === undefined || shown.get(far) !== true || held.has(far)) return;
    leg.held = true;
    leg.holds = far;
  });
  return shown;
}

function deviceName(leg: Leg): string {
  return leg.name.slice(0, leg.name.lastIndexOf('-'));
}
