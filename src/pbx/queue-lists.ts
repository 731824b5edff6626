/** What messages tell of queues: members, in lists and in events, and who waits. Pure, one message at a time. */

import { known, readName, whole } from './channel.ts';
import type { AmiMessage } from './message.ts';
import type { ChannelId, ListedQueue, QueueCounters, QueueEntry, QueueMember } from './pbx.ts';

/** A message of either connection: headers by name, empty where there is none. */
type Headers = Pick<AmiMessage, 'get'>;

/**
 * A member, with the names that its name and interface have in the message (app_queue.c: events and lists differ); undefined
 * where it is none. Names of members are not escaped.
 */
export function readQueueMember(message: Headers, name: string, member: string): QueueMember | undefined {
  const queue = message.get('Queue');
  const named = message.get(member);
  if (queue === '' || named === '') return undefined;
  const paused = message.get('Paused') === '1';
  return {
    queue,
    interface: named,
    stateInterface: message.get('StateInterface') || named,
    name: message.get(name) || named,
    // The others are `static` and `realtime`: a configuration's.
    dynamic: message.get('Membership') === 'dynamic',
    penalty: whole(message.get('Penalty')) ?? 0,
    paused,
    pausedReason: paused ? message.get('PausedReason') : '',
  };
}

/** A QueueMember of a QueueStatus list. */
export function readListedMember(message: Headers): QueueMember | undefined {
  return readQueueMember(message, 'Name', 'Location');
}

/** A QueueEntry; undefined where it is none. COMPAT: what other events call `<unknown>` is `unknown` here. */
function readQueueEntry(message: Headers): QueueEntry | undefined {
  const channel = message.get('Channel');
  const uniqueId = message.get('Uniqueid');
  if (channel === '' || uniqueId === '') return undefined;
  const number = known(message.get('CallerIDNum'));
  const name = readName(message.get('CallerIDName'));
  return {
    channel: channel as ChannelId,
    uniqueId,
    callerNumber: number === 'unknown' ? '' : number,
    callerName: name === 'unknown' ? '' : name,
    waited: whole(message.get('Wait')) ?? 0,
  };
}

/** The counters in a QueueParams. */
export function readQueueCounters(message: Headers): QueueCounters {
  const count = (name: string) => whole(message.get(name)) ?? 0;
  const percent = (name: string) => Number.parseFloat(message.get(name)) || 0;
  return {
    waiting: count('Calls'),
    completed: count('Completed'),
    abandoned: count('Abandoned'),
    holdTime: count('Holdtime'),
    talkTime: count('TalkTime'),
    serviceLevel: count('ServiceLevel'),
    serviceLevelPerformance: percent('ServicelevelPerf'),
    serviceLevelPerformance2: percent('ServicelevelPerf2'),
  };
}

/** Names of the items of a QueueStatus list, and of what ends it. */
export const queueItems: readonly string[] = [
  'QueueParams',
  'QueueMember',
  'QueueEntry',
  'QueueStatusComplete',
];

/** Collects the items of a QueueStatus list. */
export function createQueueCollector(): {
  take(item: AmiMessage): void;
  readonly queues: readonly ListedQueue[];
} {
  const queues = new Map<string, { name: string; members: QueueMember[]; entries: QueueEntry[] }>();
  return {
    take(item) {
      const name = item.get('Queue');
      if (item.event === 'QueueParams') queues.set(name, { name, members: [], entries: [] });
      const queue = queues.get(name);
      const member = item.event === 'QueueMember' ? readListedMember(item) : undefined;
      const entry = item.event === 'QueueEntry' ? readQueueEntry(item) : undefined;
      if (member !== undefined) queue?.members.push(member);
      if (entry !== undefined) queue?.entries.push(entry);
    },
    get queues() {
      return [...queues.values()];
    },
  };
}
