/** Offers a ringing call to those who may pick it up, once per call and device, and withdraws it. */

import type { Call, Leg } from './leg.ts';
import type { World } from './world.ts';

/** The telephone begins to ring. A user's second device ringing for the same call is no second offer. */
export function offer(world: World, leg: Leg, call: Call): void {
  const key = `${call.device} ${leg.group.id}`;
  call.pickup = key;
  const ringing = world.pickups.get(key) ?? 0;
  world.pickups.set(key, ringing + 1);
  if (ringing === 0) tell(world, leg, call, 'ringing');
}

/** The telephone has ceased to ring, for whatever reason. */
export function cease(world: World, leg: Leg, call: Call): void {
  const key = call.pickup;
  if (key === '') return;
  call.pickup = '';
  const ringing = (world.pickups.get(key) ?? 1) - 1;
  if (ringing > 0) {
    world.pickups.set(key, ringing);
    return;
  }
  world.pickups.delete(key);
  tell(world, leg, call, 'gone');
}

function tell(world: World, leg: Leg, call: Call, type: 'ringing' | 'gone'): void {
  world.out.push({
    kind: 'pickup',
    type,
    device: call.device,
    channel: leg.name,
    source: call.other,
    sourceDevice: call.otherDevice,
    at: world.at,
  });
}
