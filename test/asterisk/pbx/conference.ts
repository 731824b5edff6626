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
  tell(pbx, 'ConfbridgeJoin', room, bridge, channel, 'Admin: No\r\nMuted: No\r\n');
  channel.running = {
    interrupt() {
      leave(pbx, channel);
      tell(pbx, 'ConfbridgeLeave', room, bridge, channel, 'Admin: No\r\n');
      if (bridge.channels.length > 0) return;
      pbx.publish('ConfbridgeEnd', 'call', `Conference: ${room}\r\n${bridgeLines(bridge)}`);
      destroyBridge(pbx, bridge);
    },
  };
}

function tell(pbx: Pbx, event: string, room: string, bridge: Bridge, channel: Channel, rest: string): void {
  pbx.publish(event, 'call', `Conference: ${room}\r\n${bridgeLines(bridge)}${snapshot(channel)}${rest}`);
}
