/** Hold: one channel puts the one it talks to on hold, and takes it back. */

import { talkingTo } from './across.ts';
import { consultationToken } from './causes.ts';
import type { Leg } from './leg.ts';
import { meet } from './legs.ts';
import type { EventOf } from './reducer.ts';
import { settle, tell } from './settle.ts';
import type { World } from './world.ts';

/**
 * Hold or Unhold of a channel. Asterisk says Unhold of transfers too where nothing was held: what is so already is told to nobody.
 */
export function hold(world: World, event: EventOf<'hold' | 'unhold'>): void {
  const leg = meet(world, event.channel);
  if (leg === undefined) return;
  const far = talkingTo(leg);
  leg.held = event.type === 'hold';
  const before = leg.holds;
  leg.holds = leg.held ? far : undefined;
  settle(world, leg);
  if (far !== undefined) settle(world, far);
  if (before !== undefined && before !== far) settle(world, before);
}

/** The one who held leaves the call for good: whoever was held waits for somebody else now. */
export function release(world: World, holder: Leg, held: Leg): void {
  if (holder.holds === held) holder.holds = undefined;
  noteRemoteHold(world, held, false);
}

/** The leg is on hold, or is not, whoever holds it. Told where it is new, of calls that are answered. */
export function noteRemoteHold(world: World, leg: Leg, held: boolean): void {
  const call = leg.call;
  if (call === undefined || call.phase !== 'busy' || call.remoteHeld === held) return;
  call.remoteHeld = held;
  tell(world, leg, call, held ? 'hold' : 'unhold', 'remote');
}

/**
 * A consultation (bridge_basic.c) goes through a Local channel, whose half beside the user says why it came to nothing: before or
 * after the user comes to it.
 */
export function noteDeclined(half: Leg): void {
  if (half.requested === undefined) return;
  for (const talker of half.room?.members ?? []) {
    if (talker.held && talker.call !== undefined) talker.call.declined = consultationToken(half.requested);
  }
}
