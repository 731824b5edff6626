/** Who is in which bridge. */

import type { Leg } from './leg.ts';
import type { World } from './world.ts';

/** Takes a leg out of its bridge. */
export function leave(world: World, leg: Leg): void {
  const room = leg.room;
  if (room === undefined) return;
  leg.room = undefined;
  room.members.delete(leg);
  if (room.members.size === 0) world.rooms.delete(room.id);
}

/** Puts a leg into a bridge, out of the one it was in. */
export function enter(world: World, leg: Leg, id: string, type: string): void {
  if (leg.room !== undefined && leg.room.id !== id) leave(world, leg);
  let room = world.rooms.get(id);
  if (room === undefined) {
    room = { id, type, members: new Set() };
    world.rooms.set(id, room);
  }
  if (type !== '') room.type = type;
  room.members.add(leg);
  leg.room = room;
}
