/** Readers of list items, for the snapshot: pure, one item at a time. */

import { readBridge, readChannel, whole } from './channel.ts';
import type { Bridge, SnapshotChannel } from './events.ts';
import type { AmiMessage } from './message.ts';

/**
 * An item of CoreShowChannels (manager.c, action_coreshowchannels) or of Status (action_status), which name the same things
 * differently; undefined where it is no channel.
 */
export function readListedChannel(message: AmiMessage): SnapshotChannel | undefined {
  const channel = readChannel(message);
  if (channel === undefined) return undefined;
  return {
    ...channel,
    application: message.get('Application'),
    applicationData: message.get('ApplicationData') || message.get('Data'),
    bridgeId: message.get('BridgeId') || message.get('BridgeID'),
    seconds: whole(message.get('Seconds')) ?? duration(message.get('Duration')),
  };
}

/** A BridgeListItem, or a BridgeInfoComplete; undefined where it is none. */
export function readListedBridge(message: AmiMessage): Bridge | undefined {
  return readBridge(message);
}

/** Unique id of a BridgeInfoChannel; empty where it is none. */
export function readBridgeChannel(message: AmiMessage): string {
  return message.get('Uniqueid');
}

/** Seconds of `hh:mm:ss`; 0 where it is not that. */
function duration(text: string): number {
  const parts = /^(\d{1,6}):(\d\d):(\d\d)$/.exec(text);
  if (parts === null) return 0;
  const [, hours = '0', minutes = '0', seconds = '0'] = parts;
  return (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
}
