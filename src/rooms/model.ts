/**
 * Who is in which conference room (app_confbridge), and which rooms are locked, as far as was told. An event is told as it comes; what the whole
 * state shows besides is the difference. No I/O, no clock.
 */

import { type Bounded, createBound } from '../bounds.ts';
import type { Channel, ListedRoom, PbxEvent } from '../pbx/events.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import type { ConferenceChange } from './changes.ts';

/** Somebody in a room, as was told. A value. */
export interface Member {
  readonly room: string;
  readonly uniqueId: string;
  readonly channel: ChannelId;
  readonly number: string;
  readonly name: string;
  readonly muted: boolean;
}

/** What an earlier bridge has told; not `sure`: that may not have arrived. */
export interface Told<T> {
  readonly thing: T;
  readonly sure: boolean;
}

/** Who did something in a room, as the others know them. */
export interface Actor {
  /** Empty for who is not in the room. */
  readonly channel: ChannelId | '';
  readonly number: string;
  readonly name: string;
}

/** All rooms. */
export interface RoomWorld extends Bounded {
  /** Takes one event in and returns what is to be told, often nothing. */
  apply(event: PbxEvent): readonly ConferenceChange[];
  /** A room is locked, or open again. */
  lock(room: string, locked: boolean, by: Actor, at: number): ConferenceChange;
  /** How all rooms are that are in use: returns what is to be told of their locks. */
  listed(
    rooms: readonly { readonly room: string; readonly locked: boolean }[],
    at: number,
  ): readonly ConferenceChange[];
  /**
   * Takes in what an earlier bridge has told, as far as nothing is known of it: the next whole state tells what differs, and once more what may
   * not have arrived. Says whether there was such.
   */
  restore(members: readonly Told<Member>[], locked: readonly Told<string>[]): boolean;
  /** The room is locked, or somebody is in it who may be told so. */
  isOfNote(room: string): boolean;
}

/** Members that are remembered: what events say of further ones is told, and not what the whole state says. */
const maxMembers = 10_000;
/** Locked rooms; of more, the oldest is told once more. */
const maxLocked = 1000;

const nothing: readonly ConferenceChange[] = Object.freeze([]);
const nobody: Actor = { channel: '', number: '', name: '' };

/** Makes one with nobody in it. */
export function createRoomWorld(): RoomWorld {
  const members = new Map<string, Member>();
  /** Unique ids by room. */
  const rooms = new Map<string, Set<string>>();
  const locked = new Set<string>();
  /** Members, by their unique ids, and locked rooms, of which an earlier bridge told, perhaps in vain. */
  const unsure = { members: new Set<string>(), locked: new Set<string>() };
  const memberBound = createBound('room_members', maxMembers, () => members.size);
  const lockBound = createBound('locked_rooms', maxLocked, () => locked.size);

  /** False where there is no room for one more. */
  function put(member: Member): boolean {
    if (!members.has(member.uniqueId) && !memberBound.admits()) return false;
    members.set(member.uniqueId, member);
    const inside = rooms.get(member.room);
    if (inside === undefined) rooms.set(member.room, new Set([member.uniqueId]));
    else inside.add(member.uniqueId);
    return true;
  }

  function remove({ uniqueId, room }: Member): void {
    members.delete(uniqueId);
    const inside = rooms.get(room);
    inside?.delete(uniqueId);
    if (inside?.size !== 0) return;
    // The next ones meet in another room of the same name, which is open.
    rooms.delete(room);
    locked.delete(room);
  }

  function present(room: string): ChannelId[] {
    return [...(rooms.get(room) ?? [])].flatMap((id) => members.get(id)?.channel ?? []);
  }

  function say(type: ConferenceChange['type'], member: Member, at: number): ConferenceChange {
    const { room, uniqueId, channel, number, name } = member;
    const caller = { number, name };
    return { kind: 'conference', type, room, uniqueId, channel, caller, present: present(room), at };
  }

  function keepLocked(room: string): void {
    if (locked.has(room)) return;
    const [oldest] = locked;
    if (!lockBound.admits() && oldest !== undefined) locked.delete(oldest);
    locked.add(room);
  }

  function lock(room: string, isLocked: boolean, by: Actor, at: number): ConferenceChange {
    if (isLocked) keepLocked(room);
    else locked.delete(room);
    const { channel, number, name } = by;
    const type = isLocked ? 'lock' : 'unlock';
    const caller = { number, name };
    return { kind: 'conference', type, room, uniqueId: '', channel, caller, present: present(room), at };
  }

  function listed(open: readonly { readonly room: string; readonly locked: boolean }[], at: number) {
    const names = new Set(open.map(({ room }) => room));
    for (const room of locked) if (!names.has(room)) locked.delete(room);
    return open
      .filter((each) => locked.has(each.room) !== each.locked)
      .map((each) => lock(each.room, each.locked, nobody, at));
  }

  /** What an event means for somebody in a room; `before`: what was known of them. */
  function happened(event: ConferenceEvent, before: Member | undefined): ConferenceChange[] {
    const { conference: room, at } = event;
    const known = before?.room === room ? before : undefined;
    switch (event.type) {
      case 'conference-join': {
        if (known !== undefined) return [];
        const changes = before === undefined ? [] : left(before, at);
        const member = memberOf(event.channel, room, false);
        put(member);
        return [...changes, say('join', member, at)];
      }
      case 'conference-leave':
        return left(known ?? memberOf(event.channel, room, false), at);
      default: {
        const muted = event.type === 'conference-mute';
        if (known !== undefined) put({ ...known, muted });
        return [say(muted ? 'mute' : 'unmute', known ?? memberOf(event.channel, room, muted), at)];
      }
    }
  }

  function left(member: Member, at: number): ConferenceChange[] {
    const change = say('leave', member, at);
    if (members.get(member.uniqueId)?.room === member.room) remove(member);
    return [change];
  }

  /** The whole truth replaces what is known; what differs from what was told is told. */
  function compare(list: readonly ListedRoom[], meanwhile: readonly PbxEvent[], at: number) {
    const truth = truthOf(list, meanwhile);
    const gone = [...members.values()].filter(({ uniqueId, room }) => truth.get(uniqueId)?.room !== room);
    // All of them first: those who left together hear of each other.
    const changes = gone.map((member) => say('leave', member, at));
    for (const member of gone) remove(member);
    for (const now of truth.values()) {
      const before = unsure.members.has(now.uniqueId) ? undefined : members.get(now.uniqueId);
      const member = before ?? { ...now, muted: false };
      if (!put({ ...member, muted: now.muted })) continue;
      if (before === undefined) changes.push(say('join', member, at));
      if (member.muted !== now.muted) changes.push(say(now.muted ? 'mute' : 'unmute', member, at));
    }
    for (const room of unsure.locked) locked.delete(room);
    unsure.members.clear();
    unsure.locked.clear();
    changes.push(
      ...listed(
        list.filter(({ room }) => rooms.has(room)),
        at,
      ),
    );
    return changes;
  }

  return {
    bounds: [memberBound, lockBound],
    apply(event) {
      if (event.type !== 'snapshot')
        return isOfRooms(event) ? happened(event, members.get(event.channel.uniqueId)) : nothing;
      const { conferences, meanwhile } = event.snapshot;
      return conferences === undefined ? nothing : compare(conferences, meanwhile, event.at);
    },
    lock,
    listed,
    restore(told, lockedRooms) {
      const fresh = told.filter(({ thing }) => !members.has(thing.uniqueId));
      for (const { thing, sure } of fresh) {
        put(thing);
        if (!sure) unsure.members.add(thing.uniqueId);
      }
      const shut = lockedRooms.filter(({ thing }) => !locked.has(thing));
      for (const { thing, sure } of shut) {
        keepLocked(thing);
        if (!sure) unsure.locked.add(thing);
      }
      return fresh.length + shut.length > 0;
    },
    isOfNote: (room) => rooms.has(room) || locked.has(room),
  };
}

type ConferenceEvent = Extract<PbxEvent, { readonly conference: string }>;

function isOfRooms(event: PbxEvent): event is ConferenceEvent {
  switch (event.type) {
    case 'conference-join':
    case 'conference-leave':
    case 'conference-mute':
    case 'conference-unmute':
      return true;
    default:
      return false;
  }
}

function memberOf(channel: Channel, room: string, muted: boolean): Member {
  const { uniqueId, name, callerNumber, callerName } = channel;
  return { room, uniqueId, channel: name, number: callerNumber, name: callerName, muted };
}

/** Who is where: the lists, and what came while they were read on top. */
function truthOf(list: readonly ListedRoom[], meanwhile: readonly PbxEvent[]): ReadonlyMap<string, Member> {
  const truth = new Map<string, Member>();
  for (const { room, members } of list)
    for (const { channel, muted } of members) truth.set(channel.uniqueId, memberOf(channel, room, muted));
  for (const event of meanwhile.filter(isOfRooms)) {
    const { channel, conference, type } = event;
    const known = truth.get(channel.uniqueId);
    const here = known?.room === conference ? known : undefined;
    if (type === 'conference-join') truth.set(channel.uniqueId, here ?? memberOf(channel, conference, false));
    else if (here === undefined) continue;
    else if (type === 'conference-leave') truth.delete(channel.uniqueId);
    else truth.set(channel.uniqueId, { ...here, muted: type === 'conference-mute' });
  }
  return truth;
}
