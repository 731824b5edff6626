/**
 * Which conference rooms are locked. Asterisk has no event for it: what a command does is told here, and what was done in the room itself
 * when somebody lists the rooms.
 */

import { createBound } from './bounds.ts';
import type { ConferenceChange, Party } from './calls/changes.ts';
import type { Model } from './models.ts';
import type { ChannelId, Conference } from './pbx/pbx.ts';

/** Who did it, as the others in the room know them. */
export interface Member extends Party {
  /** Empty for who is not in the room. */
  readonly channel: ChannelId | '';
}

/** The locks of rooms. */
export interface Rooms extends Model {
  /** A command has locked or opened a room that was not so before. */
  lock(room: string, locked: boolean, by: Member): void;
  /** How all rooms are that are in use; told where that is another state than was told last. */
  listed(rooms: readonly Conference[]): void;
}

/** Locked rooms; of more, the oldest is told again when somebody lists the rooms. */
const maxLocked = 1000;
const nothing = Object.freeze([]);
const nobody: Member = { channel: '', name: '', number: '' };

/** Makes it, with no room known to be locked. `now`: epoch milliseconds. */
export function createRooms({ now }: { readonly now: () => number }): Rooms {
  const locked = new Set<string>();
  const bound = createBound('locked_rooms', maxLocked, () => locked.size);
  let tell: (changes: readonly ConferenceChange[]) => void = () => {};

  function keep(room: string): void {
    if (locked.has(room)) return;
    const [oldest] = locked;
    if (!bound.admits() && oldest !== undefined) locked.delete(oldest);
    locked.add(room);
  }

  function lock(room: string, isLocked: boolean, { channel, name, number }: Member): void {
    if (isLocked) keep(room);
    else locked.delete(room);
    const type = isLocked ? 'lock' : 'unlock';
    tell([{ kind: 'conference', type, room, channel, caller: { name, number }, at: now() }]);
  }

  return {
    bounds: [bound],
    apply: () => nothing,
    onChange(listener) {
      tell = listener;
    },
    lock,
    listed(rooms) {
      const open = new Set(rooms.map(({ room }) => room));
      // A room that everybody has left is no more, and its lock with it.
      for (const room of locked) if (!open.has(room)) locked.delete(room);
      for (const each of rooms)
        if (locked.has(each.room) !== each.locked) lock(each.room, each.locked, nobody);
    },
  };
}
