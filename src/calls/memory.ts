/**
 * What the next bridge must know of a user's channel: what was told of it, and what no list of Asterisk tells. Restored before the first
 * snapshot, it makes that one a difference, as after a loss of the feed.
 */

import type { ChannelId } from '../pbx/pbx.ts';
import type { CallChange, ChannelView, Party } from './changes.ts';
import { end } from './hangup.ts';
import { type Call, type Leg, nobody, party } from './leg.ts';
import { admit, blankLeg } from './legs.ts';
import { viewOf } from './settle.ts';
import type { World } from './world.ts';

/** A channel as it was told. A value, of texts, numbers and flags only. */
export interface Memory {
  readonly view: ChannelView;
  /** Present name, where Asterisk has renamed it underneath. */
  readonly name: ChannelId;
  /** Whom Asterisk shows on the line, and whether that is known not to be the other party. */
  readonly connected: Party;
  readonly stale: boolean;
  readonly origin: boolean;
  readonly dialed: string;
  readonly transfer: string;
  readonly redirected: boolean;
  /** The channel under which others were told that they may pick it up; empty where they were not. */
  readonly offer: ChannelId | '';
}

/** What to remember of a user's channel; undefined while there is nothing to be told of it. */
function remember(world: World, leg: Leg): Memory | undefined {
  const call = leg.call;
  if (call === undefined || call.hidden || call.phase === 'new') return undefined;
  return {
    view: viewOf(leg, call),
    name: leg.name,
    connected: leg.connected,
    stale: leg.connected !== nobody && leg.connected === call.stale,
    origin: call.origin,
    dialed: call.dialed,
    transfer: call.transfer,
    redirected: call.redirected,
    offer: world.offers.get(call.pickup)?.channel ?? '',
  };
}

/** Notes that a leg ends for its user before Asterisk ends the channel: no later snapshot may bring it back. */
export function linger(world: World, leg: Leg): void {
  const memory = remember(world, leg);
  if (memory === undefined) return;
  world.lingering.set(leg.uniqueId, { ...memory, view: { ...memory.view, state: 'ended' } });
}

/** {@link remember}, by `eventId`. */
export function rememberById(world: World, id: ChannelId): Memory | undefined {
  const leg = world.calls.get(id);
  if (leg !== undefined) return remember(world, leg);
  for (const memory of world.lingering.values()) if (memory.view.channel === id) return memory;
  return undefined;
}

/**
 * Takes in what an earlier bridge told. Where the state was read already, channels that are not in it have ended, and are told so;
 * of those that are, the state counts.
 */
export function restore(world: World, memories: readonly Memory[]): readonly CallChange[] {
  const late = world.at > 0;
  for (const memory of memories) {
    const { uniqueId, channel, state } = memory.view;
    if (world.legs.has(uniqueId) || world.calls.has(channel)) continue;
    if (state === 'ended') {
      world.ended.add(uniqueId);
      world.lingering.set(uniqueId, memory);
      continue;
    }
    const leg = recall(world, memory);
    if (late) end(world, leg, 'unknown');
  }
  const { out } = world;
  world.out = [];
  return out;
}

function recall(world: World, memory: Memory): Leg {
  const { view, name, connected } = memory;
  const leg = blankLeg(world, { uniqueId: view.uniqueId, name, linkedId: view.call });
  leg.caller = party(view.own.number, view.own.name);
  leg.connected = party(connected.number, connected.name);
  leg.held = view.held;
  const call: Call = {
    channel: view.channel,
    device: view.device,
    since: view.since,
    outbound: view.outbound,
    origin: memory.origin,
    dialed: memory.dialed,
    stale: memory.stale ? leg.connected : undefined,
    phase: view.state === 'busy' ? 'busy' : 'ringing',
    scripted: false,
    hidden: false,
    other: party(view.other.number, view.other.name),
    ref: undefined,
    talked: undefined,
    talkedAs: nobody,
    talks: false,
    refChannel: view.refChannel,
    otherDevice: view.otherDevice,
    busySince: view.busySince,
    upSince: 0,
    held: view.held,
    remoteHeld: view.remoteHeld,
    service: view.service,
    queue: view.queue,
    from: party(view.from.number, view.from.name),
    transfer: memory.transfer,
    redirected: memory.redirected,
    declined: '',
    pickup: '',
  };
  admit(world, leg, call);
  if (memory.offer !== '') offered(world, leg, call, memory.offer);
  if (view.held || view.remoteHeld) world.recalled.set(leg, view.refChannel);
  return leg;
}

function offered(world: World, leg: Leg, call: Call, channel: ChannelId): void {
  call.pickup = `${call.device} ${leg.group.id}`;
  const open = world.offers.get(call.pickup);
  if (open === undefined) world.offers.set(call.pickup, { channel, ringing: 1 });
  else open.ringing += 1;
}

/** Who holds whom is in no list: once the channels are known by name, what was remembered of it becomes true again. */
export function recallHolds(world: World, legs: Iterable<Leg>): void {
  if (world.recalled.size === 0) return;
  const byName = new Map([...legs].map((leg) => [leg.name, leg]));
  for (const [leg, ref] of world.recalled) {
    const other = ref === '' ? undefined : byName.get(ref);
    if (other === undefined) continue;
    if (leg.held) leg.holds = other;
    if (leg.call?.remoteHeld === true && other.call === undefined) {
      other.held = true;
      other.holds = leg;
    }
  }
  world.recalled.clear();
}
