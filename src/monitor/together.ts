/** Who is in one bridge with whom, now: what a recording goes by when its call moves on. No I/O. */

import type { PbxEvent } from '../pbx/events.ts';
import type { ChannelId } from '../pbx/pbx.ts';

/** The bridges with their channels. Bounded by the channels that there are. */
export interface Together {
  /** Takes an event in. */
  apply(event: PbxEvent): void;
  /** Unique ids of those in one bridge with this channel; empty where it is alone, parked or in none. */
  with(uniqueId: string): readonly string[];
  /** The bridge that a channel is in; undefined where it is in none. */
  placeOf(uniqueId: string): string | undefined;
  /** What the telephone system calls a channel that was in a bridge; undefined where it never was or has ended. */
  nameOf(uniqueId: string): ChannelId | undefined;
}

interface Room {
  readonly type: string;
  readonly members: Set<string>;
}

/** Makes it, with nobody anywhere. */
export function createTogether(): Together {
  const rooms = new Map<string, Room>();
  const places = new Map<string, string>();
  const names = new Map<string, ChannelId>();

  function enter(uniqueId: string, name: ChannelId, bridge: string, type: string): void {
    leave(uniqueId);
    const room = rooms.get(bridge) ?? { type, members: new Set() };
    room.members.add(uniqueId);
    rooms.set(bridge, room);
    places.set(uniqueId, bridge);
    names.set(uniqueId, name);
  }

  function leave(uniqueId: string): void {
    const bridge = places.get(uniqueId);
    if (bridge === undefined) return;
    places.delete(uniqueId);
    const room = rooms.get(bridge);
    room?.members.delete(uniqueId);
    if (room?.members.size === 0) rooms.delete(bridge);
  }

  function apply(event: PbxEvent): void {
    switch (event.type) {
      case 'bridge-enter':
        enter(event.channel.uniqueId, event.channel.name, event.bridge.id, event.bridge.type);
        return;
      case 'bridge-leave':
        leave(event.channel.uniqueId);
        return;
      case 'hangup':
        leave(event.channel.uniqueId);
        names.delete(event.channel.uniqueId);
        return;
      case 'snapshot': {
        for (const map of [rooms, places, names]) map.clear();
        const { channels, bridges, meanwhile } = event.snapshot;
        const types = new Map(bridges.map(({ id, type }) => [id, type]));
        for (const { uniqueId, name, bridgeId } of channels) {
          if (bridgeId !== '') enter(uniqueId, name, bridgeId, types.get(bridgeId) ?? 'basic');
        }
        for (const each of meanwhile) apply(each);
      }
    }
  }

  return {
    apply,
    with(uniqueId) {
      const room = rooms.get(places.get(uniqueId) ?? '');
      if (room === undefined || room.type === 'parking') return [];
      return [...room.members].filter((each) => each !== uniqueId);
    },
    placeOf: (uniqueId) => places.get(uniqueId),
    nameOf: (uniqueId) => names.get(uniqueId),
  };
}
