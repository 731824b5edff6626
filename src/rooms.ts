/**
 * Conference rooms at work. Asterisk has no event for locks: what a command does is told here, and what was done in the room itself when
 * somebody lists the rooms. What was told outlives the bridge, so that the next one tells what differs.
 */

import { z } from 'zod';
import { createKept, type KeptOptions } from './kept.ts';
import type { Model } from './models.ts';
import { memberKey } from './modules/conference-event.ts';
import type { ChannelId, Conference, Pbx } from './pbx/pbx.ts';
import type { ConferenceChange } from './rooms/changes.ts';
import { type Actor, createRoomWorld } from './rooms/model.ts';

/** Members, and locks, that the next bridge knows; of further members it tells that they came once more, and not that they left. */
export const maxTold = 1000;

/** The rooms. */
export interface Rooms extends Model {
  /** A command has locked or opened a room that was not so before. */
  lock(room: string, locked: boolean, by: Actor): void;
  /** How all rooms are that are in use; told where that is another state than was told last. */
  listed(rooms: readonly Conference[]): void;
}

const text = z.string();
const member = z.object({
  room: text.min(1),
  uniqueId: text.min(1),
  channel: text.min(1).transform((name) => name as ChannelId),
  number: text,
  name: text,
  muted: z.boolean(),
});

/** Makes them, with nobody in any. `now`: epoch milliseconds. */
export function createRooms(options: {
  readonly store: KeptOptions<unknown>['store'];
  readonly pbx: Pick<Pbx, 'reread'>;
  readonly now: () => number;
}): Rooms {
  const { store, pbx, now } = options;
  const world = createRoomWorld();
  const members = createKept({
    of: 'told_room_members',
    max: maxTold,
    store,
    prefix: 'in-room ',
    schema: member,
  });
  const locks = createKept({
    of: 'told_locked_rooms',
    max: maxTold,
    store,
    prefix: 'locked ',
    schema: z.literal(true),
  });
  let isKnown = false;
  let tell: (changes: readonly ConferenceChange[]) => void = () => {};

  /** Keeps what is told now. */
  function keep(changes: readonly ConferenceChange[]): void {
    for (const { uniqueId, room } of changes) {
      const present = world.member(uniqueId);
      if (present !== undefined) members.set(uniqueId, present);
      else if (uniqueId !== '') members.delete(uniqueId);
      if (!world.isLocked(room)) locks.delete(room);
      else if (!locks.has(room)) locks.set(room, true);
    }
  }

  /** Forgets locks that went without a word, with a room that everybody has left. */
  function tidy(): void {
    for (const [room] of locks) if (!world.isLocked(room)) locks.delete(room);
  }

  function say(changes: readonly ConferenceChange[]): void {
    keep(changes);
    tidy();
    if (changes.length > 0) tell(changes);
  }

  return {
    bounds: [...world.bounds, ...members.bounds, ...locks.bounds],
    onChange(listener) {
      tell = listener;
    },
    apply(event) {
      const changes = world.apply(event);
      keep(changes);
      if (event.type === 'snapshot') {
        isKnown = true;
        tidy();
      }
      return changes;
    },
    async restore() {
      await members.load();
      await locks.load();
      const isNews = world.restore(
        [...members].map(([, each]) => each),
        [...locks].map(([room]) => room),
      );
      // The state was read before anybody knew what to look for in it.
      if (isKnown && isNews) pbx.reread();
      return [...members].map(([, { room, uniqueId }]) => memberKey(room, uniqueId));
    },
    lock: (room, locked, by) => say([world.lock(room, locked, by, now())]),
    listed: (rooms) => say(world.listed(rooms, now())),
  };
}
