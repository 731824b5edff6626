import { randomUUID } from 'node:crypto';
import { type Channel, setVariable, snapshot } from './channel.ts';
import type { Pbx } from './pbx.ts';

/** A bridge; `channels` in the order in which they entered. */
export interface Bridge {
  readonly id: string;
  readonly type: 'basic' | 'base' | 'parking';
  technology: string;
  readonly creator: string;
  readonly name: string;
  readonly channels: Channel[];
  /** Members nobody sees: a conference's announcer counts in BridgeNumChannels. */
  hidden: number;
}

/** The headers about a bridge, in Asterisk's order. */
export function bridgeLines(bridge: Bridge): string {
  return (
    `BridgeUniqueid: ${bridge.id}\r\nBridgeType: ${bridge.type}\r\nBridgeTechnology: ${bridge.technology}\r\n` +
    `BridgeCreator: ${bridge.creator}\r\nBridgeName: ${bridge.name}\r\n` +
    `BridgeNumChannels: ${bridge.channels.length + bridge.hidden}\r\nBridgeVideoSourceMode: none\r\n`
  );
}

/** An event about a bridge and a channel in it. */
export function bridgeEvent(pbx: Pbx, event: string, bridge: Bridge, channel?: Channel, rest = ''): void {
  pbx.publish(event, 'call', bridgeLines(bridge) + (channel === undefined ? '' : snapshot(channel)) + rest);
}

/** Makes an empty bridge. `conference` names the ConfBridge it belongs to. */
export function createBridge(pbx: Pbx, conference?: string): Bridge {
  const bridge: Bridge = {
    id: randomUUID(),
    type: conference === undefined ? 'basic' : 'base',
    technology: conference === undefined ? 'simple_bridge' : 'softmix',
    creator: conference === undefined ? '<unknown>' : 'ConfBridge',
    name: conference ?? '<unknown>',
    channels: [],
    hidden: 0,
  };
  pbx.bridges.set(bridge.id, bridge);
  bridgeEvent(pbx, 'BridgeCreate', bridge);
  return bridge;
}

/** A channel enters. */
export function enter(pbx: Pbx, bridge: Bridge, channel: Channel): void {
  bridge.channels.push(channel);
  channel.bridge = bridge;
  bridgeEvent(pbx, 'BridgeEnter', bridge, channel);
}

/** Two channels talk: what Asterisk tells after the second has entered. */
export function joined(pbx: Pbx, bridge: Bridge): void {
  bridge.technology = 'native_rtp';
  const [callee, caller] = bridge.channels;
  if (callee === undefined || caller === undefined) return;
  // Sent three times over by a real PBX, once per change of the bridge's technology.
  for (let round = 0; round < 3; round++) {
    peerVariables(pbx, caller, callee.name, callee.callId);
    peerVariables(pbx, callee, caller.name, caller.callId);
  }
}

/** A channel leaves. */
export function leave(pbx: Pbx, channel: Channel): void {
  const bridge = channel.bridge;
  if (bridge === undefined) return;
  bridge.channels.splice(bridge.channels.indexOf(channel), 1);
  channel.bridge = undefined;
  bridgeEvent(pbx, 'BridgeLeave', bridge, channel);
}

/** The end of an empty bridge. */
export function destroyBridge(pbx: Pbx, bridge: Bridge): void {
  bridge.hidden = 0;
  pbx.bridges.delete(bridge.id);
  bridgeEvent(pbx, 'BridgeDestroy', bridge);
}

/** The other channel of a conversation of two. */
export function peerOf(channel: Channel): Channel | undefined {
  if (channel.bridge?.type !== 'basic') return undefined;
  return channel.bridge.channels.find((other) => other !== channel);
}

/** BRIDGEPEER and BRIDGEPVTCALLID; empty values when the conversation ends. */
export function peerVariables(pbx: Pbx, channel: Channel, peer: string, callId: string): void {
  setVariable(pbx, channel, 'BRIDGEPEER', peer);
  setVariable(pbx, channel, 'BRIDGEPVTCALLID', callId);
}
