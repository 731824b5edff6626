/** Bridges: where channels hear each other. Two parties talk when both are in. */

import { facing, isTalk, talkingTo } from './across.ts';
import { noteDeclined } from './hold.ts';
import { meet } from './legs.ts';
import type { EventOf } from './reducer.ts';
import { enter, leave } from './rooms.ts';
import { settle, settleAround } from './settle.ts';
import type { World } from './world.ts';

/** A channel entered a bridge, perhaps in the place of another one. */
export function bridgeEnter(world: World, event: EventOf<'bridge-enter'>): void {
  const leg = meet(world, event.channel);
  if (leg === undefined) return;
  const replaced = event.swaps === '' ? undefined : world.legs.get(event.swaps);
  if (replaced?.room?.id === event.bridge.id) leave(world, replaced);
  enter(world, leg, event.bridge.id, event.bridge.type);
  if (leg.held) for (const member of leg.room?.members ?? []) if (member.local) noteDeclined(member);
  const far = talkingTo(leg);
  if (far !== undefined) {
    for (const end of [leg, far]) {
      // They talk: how the call came here, and how earlier attempts ended, is history.
      end.group.from = undefined;
      end.group.queue = '';
      end.dialResult = '';
      if (end.call !== undefined) end.call.transfer = '';
    }
  }
  settleAround(world, leg);
}

/** A channel left a bridge. */
export function bridgeLeave(world: World, event: EventOf<'bridge-leave'>): void {
  const leg = meet(world, event.channel);
  if (leg === undefined || leg.room?.id !== event.bridge.id) return;
  const { room } = leg;
  const far = isTalk(room) ? facing(leg) : undefined;
  leave(world, leg);
  settle(world, leg);
  if (far !== undefined) settle(world, far);
  if (isTalk(room)) for (const member of room.members) if (member !== far) settle(world, member);
}

/** A bridge is no more; whoever was thought to be in it is not. */
export function bridgeDestroy(world: World, event: EventOf<'bridge-destroy'>): void {
  const room = world.rooms.get(event.bridge.id);
  if (room === undefined) return;
  for (const leg of [...room.members]) leave(world, leg);
}
