import { type Bridge, bridgeLines, createBridge, destroyBridge, enter, leave } from './bridge.ts';
import { type Channel, newExten, snapshot } from './channel.ts';
import type { Pbx } from './pbx.ts';

/** Application ConfBridge: joins the room, which the first opens and the last closes (apps/app_confbridge.c). */
export function conference(pbx: Pbx, channel: Channel, room: string): void {
  newExten(pbx, channel, 'ConfBridge', room);
  const open = [...pbx.bridges.values()].find(
    (bridge) => bridge.creator === 'ConfBridge' && bridge.name === room,
  );
  const bridge = open ?? createBridge(pbx, room);
  if (open === undefined) {
    bridge.hidden = 1;
    pbx.publish('ConfbridgeStart', 'call', `Conference: ${room}\r\n${bridgeLines(bridge)}`);
  }
  enter(pbx, bridge, channel);
  rooms(pbx).set(channel, { room, muted: false });
  tell(pbx, 'ConfbridgeJoin', room, bridge, channel, 'Admin: No\r\nMuted: No\r\n');
  channel.running = {
    interrupt() {
      leave(pbx, channel);
      rooms(pbx).delete(channel);
      tell(pbx, 'ConfbridgeLeave', room, bridge, channel, 'Admin: No\r\n');
      if (bridge.channels.length > 0) return;
      pbx.publish('ConfbridgeEnd', 'call', `Conference: ${room}\r\n${bridgeLines(bridge)}`);
      destroyBridge(pbx, bridge);
    },
  };
}

/** Who is in which room, and cannot be heard. By PBX: several run in one process. */
const members = new WeakMap<Pbx, Map<Channel, { room: string; muted: boolean }>>();
const locks = new WeakMap<Pbx, Set<string>>();

/** The members of all rooms of a PBX. */
export function rooms(pbx: Pbx): Map<Channel, { room: string; muted: boolean }> {
  const known = members.get(pbx) ?? new Map<Channel, { room: string; muted: boolean }>();
  members.set(pbx, known);
  return known;
}

/** The rooms that let nobody in. */
export function lockedRooms(pbx: Pbx): Set<string> {
  const known = locks.get(pbx) ?? new Set<string>();
  locks.set(pbx, known);
  return known;
}

/** Mutes a member, and tells of it. */
export function muteMember(pbx: Pbx, channel: Channel, muted: boolean): void {
  const member = rooms(pbx).get(channel);
  if (member === undefined || channel.bridge === undefined) return;
  member.muted = muted;
  tell(
    pbx,
    muted ? 'ConfbridgeMute' : 'ConfbridgeUnmute',
    member.room,
    channel.bridge,
    channel,
    'Admin: No\r\n',
  );
}

function tell(pbx: Pbx, event: string, room: string, bridge: Bridge, channel: Channel, rest: string): void {
  pbx.publish(event, 'call', `Conference: ${room}\r\n${bridgeLines(bridge)}${snapshot(channel)}${rest}`);
}
