/** What Asterisk's lists would say at any moment of a recording: kept from the events by a few lines that know nothing of the model. */

import type { Bridge, Channel, PbxEvent, Snapshot, SnapshotChannel } from '../../src/pbx/events.ts';
import type { DeviceName } from '../../src/pbx/pbx.ts';

interface Tracked {
  channel: Channel;
  application: string;
  data: string;
  bridge: string;
  since: number;
  holds: string;
}

/** Follows events. */
export interface Tracker {
  see(event: PbxEvent): void;
  /** The lists as they are now, `at` epoch milliseconds. */
  snapshot(at: number): Snapshot;
}

/** Makes a tracker of an idle Asterisk. */
export function createTracker(): Tracker {
  const channels = new Map<string, Tracked>();
  const bridges = new Map<string, Bridge>();

  function particulars(channel: Channel | undefined, at: number): Tracked | undefined {
    if (channel === undefined) return undefined;
    const known = channels.get(channel.uniqueId);
    if (known !== undefined) {
      known.channel = channel;
      return known;
    }
    const made = { channel, application: '', data: '', bridge: '', since: at, holds: '' };
    channels.set(channel.uniqueId, made);
    return made;
  }

  function others(tracked: Tracked): Tracked[] {
    return [...channels.values()].filter(
      (one) => one !== tracked && one.bridge !== '' && one.bridge === tracked.bridge,
    );
  }

  return {
    see(event) {
      if (event.type === 'snapshot') {
        for (const { application, applicationData, bridgeId, seconds, ...channel } of event.snapshot
          .channels) {
          const tracked = particulars(channel, event.at - seconds * 1000);
          if (tracked === undefined) continue;
          Object.assign(tracked, { application, data: applicationData, bridge: bridgeId });
        }
        for (const { channels: _members, ...bridge } of event.snapshot.bridges)
          bridges.set(bridge.id, bridge);
        for (const tracked of channels.values()) {
          const [peer] = others(tracked);
          const state = peer === undefined ? '' : event.snapshot.devices.get(deviceOf(peer.channel.name));
          if (state === 'ONHOLD') tracked.holds = peer?.channel.uniqueId ?? '';
        }
        return;
      }
      if (event.type === 'hangup') channels.delete(event.channel.uniqueId);
      if (event.type === 'channel-new') particulars(event.channel, event.at);
      if (event.type === 'dial-begin' || event.type === 'dial-state' || event.type === 'dial-end') {
        for (const channel of [event.caller, event.dest]) {
          if (channel !== undefined && channels.has(channel.uniqueId)) particulars(channel, event.at);
        }
      }
      if (!('channel' in event) || typeof event.channel === 'string') return;
      if (!channels.has(event.channel.uniqueId) || event.type === 'pickup') return;
      const tracked = particulars(event.channel, event.at);
      if (tracked === undefined) return;
      if (event.type === 'application') {
        tracked.application = event.application;
        tracked.data = event.data;
      }
      if (event.type === 'bridge-enter') {
        tracked.bridge = event.bridge.id;
        bridges.set(event.bridge.id, event.bridge);
        const replaced = channels.get(event.swaps);
        if (replaced?.bridge === event.bridge.id) replaced.bridge = '';
      }
      if (event.type === 'bridge-leave' && tracked.bridge === event.bridge.id) tracked.bridge = '';
      if (event.type === 'hold') tracked.holds = others(tracked)[0]?.channel.uniqueId ?? '';
      if (event.type === 'unhold') tracked.holds = '';
    },
    snapshot(at) {
      // Whoever was joined with somebody else is not on hold any more.
      const isHeld = (held: Tracked | undefined, holder: Tracked) =>
        held !== undefined && others(held).every((other) => other === holder);
      const holders = [...channels.values()].filter((one) => isHeld(channels.get(one.holds), one));
      const held = new Set(holders.map((one) => one.holds));
      const devices = new Map<DeviceName, string>();
      for (const { channel } of channels.values()) {
        const device = deviceOf(channel.name);
        const alone = ![...channels.values()].some(
          (one) => one.channel !== channel && deviceOf(one.channel.name) === device,
        );
        devices.set(
          device,
          alone && held.has(channel.uniqueId) ? 'ONHOLD' : channel.state === 'ringing' ? 'RINGING' : 'INUSE',
        );
      }
      const listed = [...channels.values()].map(
        ({ channel, application, data, bridge, since }): SnapshotChannel => ({
          ...channel,
          application,
          applicationData: data,
          bridgeId: bridge,
          seconds: Math.floor((at - since) / 1000),
        }),
      );
      const members = (id: string) => listed.filter((one) => one.bridgeId === id).map((one) => one.uniqueId);
      return {
        channels: listed,
        bridges: [...bridges.values()].map((bridge) => ({ ...bridge, channels: members(bridge.id) })),
        devices,
        meanwhile: [],
      };
    },
  };
}

function deviceOf(channel: string): DeviceName {
  return channel.slice(0, channel.lastIndexOf('-')) as DeviceName;
}
