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
import { askAll } from './unconfirmed.ts';

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

  function toldMember({ type, room, uniqueId, channel, caller }: ConferenceChange, heard: boolean): void {
    if (type === 'leave') {
      // What is told late of two rooms may be told in another order than it happened.
      if (members.get(uniqueId)?.room === room) members.end(uniqueId, heard);
    } else if (channel !== '')
      members.set(uniqueId, { room, uniqueId, channel, ...caller, muted: type === 'mute' }, heard);
  }

  /** Forgets locks that went without a word, with a room that everybody has left. */
  function tidy(heard: boolean): void {
    for (const { id } of locks) if (!world.isOfNote(id)) locks.end(id, heard);
  }

  function say(changes: readonly ConferenceChange[]): void {
    if (changes.length > 0) tell(changes);
  }

  return {
    bounds: [...world.bounds, ...members.bounds, ...locks.bounds],
    onChange(listener) {
      tell = listener;
    },
    apply(event) {
      isKnown ||= event.type === 'snapshot';
      return world.apply(event);
    },
    told(change, heard) {
      if (change.kind !== 'conference') return;
      if (change.type === 'lock') locks.set(change.room, true, heard);
      else if (change.type === 'unlock') locks.end(change.room, heard);
      else toldMember(change, heard);
      tidy(heard);
    },
    ask: () => askAll([members, locks]),
    async restore() {
      await members.load();
      await locks.load();
      const isNews = world.restore(
        [...members],
        [...locks].map(({ id, sure }) => ({ thing: id, sure })),
      );
      // The state was read before anybody knew what to look for in it.
      if (isKnown && isNews) pbx.reread();
      return [...members].map(({ thing: { room, uniqueId } }) => memberKey(room, uniqueId));
    },
    lock: (room, locked, by) => say([world.lock(room, locked, by, now())]),
    listed: (rooms) => say(world.listed(rooms, now())),
  };
}
