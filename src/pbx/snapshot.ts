import type { Failure } from '../errors.ts';
import { type AmiAction, action } from './action.ts';
import { isDenied, isUnknownAction, refusal } from './answer.ts';
import { readChannel } from './channel.ts';
import { isNobodyThere } from './conferences.ts';
import type { Bridge, ListedRoom, Snapshot, SnapshotChannel } from './events.ts';
import { readListedBridge, readListedChannel } from './lists.ts';
import { Refused } from './login.ts';
import type { AmiMessage } from './message.ts';
import type { DeviceName, ListedQueue } from './pbx.ts';
import { createQueueCollector, queueItems } from './queue-lists.ts';
import type { AmiSession } from './session.ts';
import { readDeviceState } from './translate.ts';

/** Names of the list items a snapshot is made of, and of the events that end the lists. */
export const snapshotItems: readonly string[] = [
  'CoreShowChannel',
  'CoreShowChannelsComplete',
  'BridgeListItem',
  'BridgeListComplete',
  'DeviceStateChange',
  'DeviceStateListComplete',
  'ConfbridgeListRooms',
  'ConfbridgeListRoomsComplete',
  'ConfbridgeList',
  'ConfbridgeListComplete',
  ...queueItems,
];

/** What a snapshot takes from the lists, and the queues; the events that came meanwhile are added by the one who kept them. */
export interface Lists {
  readonly snapshot: Omit<Snapshot, 'meanwhile'>;
  readonly queues: readonly ListedQueue[];
}

/**
 * Reads the present state: channels, bridges, device states, queues, in one go. Who is in which bridge is taken from the
 * channels: one moment for all of them, where a `BridgeInfo` for each bridge would show as many moments as there are bridges.
 *
 * `onBegin` is called where the first list begins: older events are in the lists already. Rejects with `Refused` where the
 * account may not read the state, and as `AmiSession.list` does.
 */
export async function readLists(session: AmiSession, onBegin: () => void): Promise<Lists> {
  const channels: SnapshotChannel[] = [];
  const bridges: Bridge[] = [];
  const devices = new Map<DeviceName, string>();
  const read = async (name: string, onItem: (item: AmiMessage) => void, begin?: () => void) => {
    const sentence = refused(await session.list(action(name), onItem, begin));
    if (sentence !== undefined) throw unreadable(name, sentence);
  };
  const [, , , queues] = await Promise.all([
    read(
      'CoreShowChannels',
      (item) => {
        const channel = readListedChannel(item);
        if (channel !== undefined) channels.push(channel);
      },
      onBegin,
    ),
    read('BridgeList', (item) => {
      const bridge = readListedBridge(item);
      if (bridge !== undefined) bridges.push(bridge);
    }),
    read('DeviceStateList', (item) => {
      const found = readDeviceState(item);
      if (found !== undefined) devices.set(found.device, found.state);
    }),
    readQueues(session),
  ]);
  const members = new Map<string, string[]>(bridges.map((bridge) => [bridge.id, []]));
  for (const { bridgeId, uniqueId } of channels) members.get(bridgeId)?.push(uniqueId);
  return {
    snapshot: {
      channels,
      bridges: bridges.map((bridge) => ({ ...bridge, channels: members.get(bridge.id) ?? [] })),
      devices,
      conferences: channels.some(({ application }) => application === 'ConfBridge')
        ? await readRooms(session)
        : [],
    },
    queues,
  };
}

/** Reads who is in which conference room. Rejects as {@link readLists} does. */
async function readRooms(session: AmiSession): Promise<readonly ListedRoom[]> {
  const rooms: { room: string; locked: boolean; members: ListedRoom['members'][number][] }[] = [];
  await readOrNone(session, action('ConfbridgeListRooms'), (item) => {
    rooms.push({ room: item.get('Conference'), locked: item.get('Locked') === 'Yes', members: [] });
  });
  for (const { room, members } of rooms) {
    await readOrNone(session, action('ConfbridgeList', { Conference: room }), (item) => {
      const channel = readChannel(item);
      if (channel !== undefined) members.push({ channel, muted: item.get('Muted') === 'Yes' });
    });
  }
  return rooms;
}

async function readOrNone(
  session: AmiSession,
  list: AmiAction,
  onItem: (item: AmiMessage) => void,
): Promise<void> {
  const sentence = refused(await session.list(list, onItem));
  if (sentence !== undefined && !isNobodyThere(sentence)) throw unreadable(list.name, sentence);
}

/**
 * Reads every queue with its members and callers; none where app_queue is not loaded. Needs no right. `onBegin` as for
 * {@link readLists}; rejects as that does.
 */
export async function readQueues(session: AmiSession, onBegin?: () => void): Promise<readonly ListedQueue[]> {
  const collector = createQueueCollector();
  const sentence = refused(await session.list(action('QueueStatus'), collector.take, onBegin));
  if (sentence !== undefined && !isUnknownAction(sentence)) throw unreadable('QueueStatus', sentence);
  return collector.queues;
}

/** Asterisk's sentence where it refused to give a list. */
function refused(answer: AmiMessage): string | undefined {
  return answer.event === '' && answer.get('Response') !== 'Success' ? answer.get('Message') : undefined;
}

function unreadable(name: string, sentence: string): Error | Failure {
  if (!isDenied(sentence)) return refusal(name, sentence);
  return new Refused(
    `the feed account may not use ${name}: give it 'write = reporting' in manager.conf, which lets it read the state and no more`,
  );
}
