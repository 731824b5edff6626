/** Events of a telephone system with queues, in few words. */

import type { Channel, PbxEvent } from '../../src/pbx/events.ts';
import type { ChannelId, QueueMember } from '../../src/pbx/pbx.ts';
import type { QueueChange } from '../../src/queues/changes.ts';
import { createQueues } from '../../src/queues/model.ts';

/** A channel of the trunk or of a device: its unique id is its name. */
export function channel(name: string, changes: Partial<Channel> = {}): Channel {
  return {
    name: name as ChannelId,
    uniqueId: name,
    linkedId: name,
    state: 'up',
    callerNumber: '+4930123',
    callerName: 'Max',
    connectedNumber: '',
    connectedName: '',
    context: 'internal',
    exten: '500',
    ...changes,
  };
}

/** A member of the queue Support; `changes` replace what is usual. */
export function member(name: string, changes: Partial<QueueMember> = {}): QueueMember {
  return {
    queue: 'Support',
    interface: name,
    stateInterface: name,
    name,
    dynamic: false,
    penalty: 0,
    paused: false,
    pausedReason: '',
    ...changes,
  };
}

/** The whole of one queue or of several, as a list: `{ Support: [[members], [callers]] }`. */
export function queues(
  content: Record<string, readonly [members: readonly QueueMember[], callers: readonly string[]]>,
  at = 1000,
  meanwhile: readonly PbxEvent[] = [],
): PbxEvent {
  const listed = Object.entries(content).map(([name, [members, callers]]) => ({
    name,
    members,
    entries: callers.map((each) => ({
      channel: each as ChannelId,
      uniqueId: each,
      callerNumber: '+4930123',
      callerName: 'Max',
      waited: 0,
    })),
  }));
  return { type: 'queues', at, queues: listed, meanwhile };
}

/** A telephone system without channels, as after its restart; or with these. */
export function snapshot(channels: readonly Channel[] = [], bridgeId = '', at = 1000): PbxEvent {
  const listed = channels.map((each) => ({
    ...each,
    application: 'Queue',
    applicationData: 'Support',
    bridgeId,
    seconds: 1,
  }));
  return {
    type: 'snapshot',
    at,
    snapshot: { channels: listed, bridges: [], devices: new Map(), meanwhile: [] },
  };
}

interface Place {
  readonly position?: number;
  readonly count?: number;
  readonly queue?: string;
  readonly at?: number;
}

const placed = ({ position = 1, count = 1, queue = 'Support', at = 1000 }: Place) => ({
  position,
  count,
  queue,
  at,
});

export const joins = (name: string, place: Place = {}): PbxEvent => ({
  type: 'queue-join',
  channel: channel(name),
  ...placed(place),
});
export const abandons = (name: string, place: Place = {}, exten = '500'): PbxEvent => ({
  type: 'queue-abandon',
  channel: channel(name, { exten }),
  ...placed(place),
});
export const leaves = (name: string, place: Place = {}, exten = '500'): PbxEvent => ({
  type: 'queue-leave',
  channel: channel(name, { exten }),
  priority: 2,
  ...placed({ count: 0, ...place }),
});
export const hangsUp = (name: string): PbxEvent => ({
  type: 'hangup-request',
  channel: channel(name),
  cause: 16,
  at: 1000,
});
export const ends = (name: string, priority = 2): PbxEvent => ({
  type: 'hangup',
  channel: channel(name),
  cause: 16,
  priority,
  at: 1000,
});
export const goesOn = (name: string, exten = '500'): PbxEvent => ({
  type: 'application',
  channel: channel(name, { exten }),
  application: 'NoOp',
  data: '',
  at: 1000,
});
const agent = (
  type: 'agent-called' | 'agent-connect',
  caller: string,
  by: string,
  queue: string,
  at: number,
): PbxEvent => ({
  type,
  caller: channel(caller),
  dest: channel(`${by}-1`),
  queue,
  interface: by,
  at,
});
export const rings = (caller: string, by: string, queue = 'Support'): PbxEvent =>
  agent('agent-called', caller, by, queue, 1000);
export const connects = (caller: string, by: string, at = 1000): PbxEvent =>
  agent('agent-connect', caller, by, 'Support', at);
export const answers = (caller: string, by: string): PbxEvent => ({
  type: 'dial-end',
  caller: channel(caller),
  dest: channel(`${by}-1`),
  status: 'ANSWER',
  forward: '',
  at: 1000,
});

/** A line for each change. */
export function line(change: QueueChange): string {
  switch (change.kind) {
    case 'queue-member':
      return `${change.type} ${change.queue} ${change.member.interface}`;
    case 'queue-join':
      return `join ${change.queue} ${change.call.channel} at ${change.position}`;
    case 'queue-leave':
      return `leave ${change.queue} ${change.call.channel} at ${change.position} ${change.reason} ${change.member?.interface ?? ''}`.trim();
  }
}

/** A queue model under test. */
export function desk(...first: PbxEvent[]) {
  const model = createQueues();
  const play = (...events: PbxEvent[]) => events.flatMap((event) => model.apply(event).map(line));
  play(...first);
  return {
    play,
    model,
    waiting: (queue = 'Support') => model.queue(queue)?.calls.map((call) => call.channel),
    members: (queue = 'Support') => model.queue(queue)?.members.map((each) => each.interface),
  };
}
