/** Finds the snapshots in a recording: a feed asks for lists when it has logged in, and the answers were recorded with the rest. */

import type { Bridge, PbxEvent, Snapshot, SnapshotChannel } from '../pbx/events.ts';
import { readBridgeChannel, readListedBridge, readListedChannel } from '../pbx/lists.ts';
import type { AmiMessage } from '../pbx/message.ts';
import type { DeviceName, ListedQueue } from '../pbx/pbx.ts';
import { createQueueCollector, queueItems } from '../pbx/queue-lists.ts';
import { readDeviceState } from '../pbx/translate.ts';

/** Events that are list items or end a list. */
export const listedEvents: readonly string[] = [
  'CoreShowChannel',
  'CoreShowChannelsComplete',
  'Status',
  'StatusComplete',
  'BridgeListItem',
  'BridgeInfoChannel',
  'BridgeInfoComplete',
  ...queueItems,
];

/** Collects lists. */
export interface Gatherer {
  /** Takes a message that belongs to a list, or to a login; false for all others. */
  take(message: AmiMessage): boolean;
  /** Notes which channels live events have told of. */
  note(event: PbxEvent): void;
  /** A snapshot that is complete, and shows other channels than the events did; undefined while there is none. */
  due(): Snapshot | undefined;
  /** A list of all queues that is complete; undefined while there is none. One that leaves known queues out was asked for others. */
  dueQueues(): readonly ListedQueue[] | undefined;
}

/** Makes a gatherer that has seen nothing. */
export function createGatherer(): Gatherer {
  const live = new Set<string>();
  let logins = 0;
  let channels = new Map<string, SnapshotChannel>();
  let bridges = new Map<string, Bridge & { readonly channels: string[] }>();
  let devices = new Map<DeviceName, string>();
  let inBridge: string[] = [];
  let complete = false;
  const queueNames = new Set<string>();
  let collector = createQueueCollector();
  let queues: readonly ListedQueue[] | undefined;

  function bridge(message: AmiMessage, members: readonly string[]): void {
    const read = readListedBridge(message);
    if (read === undefined) return;
    const old = bridges.get(read.id)?.channels ?? [];
    bridges.set(read.id, { ...read, channels: members.length > 0 ? [...members] : old });
  }

  const items = new Map<string, (message: AmiMessage) => void>([
    ['CoreShowChannel', listed],
    ['Status', listed],
    ['CoreShowChannelsComplete', done],
    ['StatusComplete', done],
    ['QueueParams', (message) => collector.take(message)],
    ['QueueMember', (message) => collector.take(message)],
    ['QueueEntry', (message) => collector.take(message)],
    [
      'QueueStatusComplete',
      () => {
        const names = new Set(collector.queues.map(({ name }) => name));
        if ([...queueNames].every((name) => names.has(name))) queues = collector.queues;
        for (const name of names) queueNames.add(name);
        collector = createQueueCollector();
      },
    ],
    ['BridgeListItem', (message) => bridge(message, [])],
    ['BridgeInfoChannel', (message) => inBridge.push(readBridgeChannel(message))],
    [
      'BridgeInfoComplete',
      (message) => {
        bridge(message, inBridge);
        inBridge = [];
      },
    ],
  ]);

  function listed(message: AmiMessage): void {
    const read = readListedChannel(message);
    if (read === undefined) return;
    // COMPAT: the two lists name the same channel; what one leaves out, the other has.
    const old = channels.get(read.uniqueId);
    channels.set(read.uniqueId, { ...read, bridgeId: read.bridgeId || (old?.bridgeId ?? '') });
  }

  function done(): void {
    complete = true;
  }

  function isNews(): boolean {
    for (const id of channels.keys()) if (!live.has(id)) return true;
    if (logins < 2) return false;
    for (const id of live) if (!channels.has(id)) return true;
    return false;
  }

  return {
    take(message) {
      if (message.event === '') {
        if (message.get('Message') === 'Authentication accepted') logins += 1;
        return true;
      }
      // An item of DeviceStateList is an answer, and says to which action; a live event is nobody's.
      if (message.event === 'DeviceStateChange' && message.has('ActionID')) {
        const read = readDeviceState(message);
        if (read !== undefined) devices.set(read.device, read.state);
        return true;
      }
      if (message.event === 'ParkedCall' && message.has('ActionID')) return true;
      const read = items.get(message.event);
      read?.(message);
      return read !== undefined;
    },
    note(event) {
      if (event.type === 'channel-new') live.add(event.channel.uniqueId);
      if (event.type === 'hangup') live.delete(event.channel.uniqueId);
      if (event.type === 'queue-join') queueNames.add(event.queue);
      if (event.type === 'queue-member-added') queueNames.add(event.member.queue);
    },
    dueQueues() {
      const due = queues;
      queues = undefined;
      return due;
    },
    due() {
      if (!complete) return undefined;
      const snapshot = {
        channels: [...channels.values()],
        bridges: [...bridges.values()],
        devices,
        meanwhile: [],
      };
      const news = isNews();
      if (news) {
        live.clear();
        for (const id of channels.keys()) live.add(id);
        logins = Math.min(logins, 1);
      }
      channels = new Map();
      bridges = new Map();
      devices = new Map();
      complete = false;
      return news ? snapshot : undefined;
    },
  };
}
