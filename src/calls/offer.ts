/** Offers a ringing call to those who may pick it up, once per call and device, and withdraws it. */

import type { ChannelId } from '../pbx/pbx.ts';
import type { Call, Leg } from './leg.ts';
import type { World } from './world.ts';

/** The telephone begins to ring. A user's second device ringing for the same call is no second offer. */
export function offer(world: World, leg: Leg, call: Call): void {
  const key = `${call.device} ${leg.group.id}`;
  call.pickup = key;
  const open = world.offers.get(key);
  if (open !== undefined) {
    open.ringing += 1;
    return;
  }
  const made = { channel: leg.name, ringing: 1 };
  world.offers.set(key, made);
  tell(world, made.channel, call, 'ringing');
}

/** The telephone has ceased to ring, for whatever reason. */
export function cease(world: World, call: Call): void {
  const open = world.offers.get(call.pickup);
  if (open === undefined) return;
  open.ringing -= 1;
  if (open.ringing === 0) {
    world.offers.delete(call.pickup);
    tell(world, open.channel, call, 'gone');
  }
  call.pickup = '';
}

function tell(world: World, channel: ChannelId, call: Call, type: 'ringing' | 'gone'): void {
  world.out.push({
    kind: 'pickup',
    type,
    device: call.device,
    channel,
    source: call.other,
    sourceDevice: call.otherDevice,
    at: world.at,
  });
}
