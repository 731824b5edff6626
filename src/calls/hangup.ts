/** The end of a channel, and who wanted it. */

import { facing } from './across.ts';
import { hangupToken } from './causes.ts';
import { redirectOnHangup } from './dial.ts';
import { noteDeclined } from './hold.ts';
import type { Leg } from './leg.ts';
import { meet, remove } from './legs.ts';
import { cease } from './offer.ts';
import type { EventOf } from './reducer.ts';
import { ring, settle, viewOf } from './settle.ts';
import type { World } from './world.ts';

/** A device asks for the end. Its peer gets none of these, so this is the one who hung up. */
export function hangupRequest(world: World, event: EventOf<'hangup-request'>): void {
  const leg = meet(world, event.channel);
  if (leg === undefined) return;
  leg.requested ??= event.cause ?? 0;
  if (leg.local) noteDeclined(leg);
}

/** A channel is gone. */
export function hangup(world: World, event: EventOf<'hangup'>): void {
  const known = world.legs.has(event.channel.uniqueId);
  // Of one that was never seen there is nothing to take back.
  if (!known) {
    world.ended.add(event.channel.uniqueId);
    world.lingering.delete(event.channel.uniqueId);
    return;
  }
  const leg = meet(world, event.channel);
  if (leg === undefined) return;
  if (event.cause === 23) redirectOnHangup(world, leg);
  end(world, leg, hangupToken(leg, event.cause));
}

/** Tells the end of a leg and forgets it. */
export function end(world: World, leg: Leg, details: string): void {
  const call = leg.call;
  const other = facing(leg);
  if (call !== undefined && !call.hidden && owesAnEnd(leg)) {
    if (call.phase === 'new') ring(world, leg, call);
    cease(world, call);
    const view = { ...viewOf(leg, call), state: 'ended' as const };
    world.out.push({ kind: 'channel', type: 'hangup', details, view, at: world.at });
  }
  remove(world, leg);
  if (other !== undefined && world.legs.has(other.uniqueId)) settle(world, other);
}

/**
 * Whether the user must hear of this end. A call that failed before anything rang is told whole, for the user made it. A
 * telephone that never rang is not told of, unless it refused the call by itself.
 */
function owesAnEnd(leg: Leg): boolean {
  const call = leg.call;
  if (call === undefined) return false;
  return call.phase !== 'new' || call.outbound || leg.requested !== undefined;
}
