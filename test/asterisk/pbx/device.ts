import { peerOf } from './bridge.ts';
import type { Channel } from './channel.ts';
import { lines } from './event.ts';
import type { Endpoint, Pbx, Queue } from './pbx.ts';

const extensionStates: Readonly<Record<string, readonly [number, string]>> = {
  NOT_INUSE: [0, 'Idle'],
  INUSE: [1, 'InUse'],
  BUSY: [2, 'Busy'],
  UNAVAILABLE: [4, 'Unavailable'],
  RINGING: [8, 'Ringing'],
  RINGINUSE: [9, 'InUse&Ringing'],
  ONHOLD: [16, 'Hold'],
};

const memberStates: Readonly<Record<string, number>> = {
  NOT_INUSE: 1,
  INUSE: 2,
  BUSY: 3,
  UNAVAILABLE: 5,
  RINGING: 6,
  RINGINUSE: 7,
  ONHOLD: 8,
};

const words: Readonly<Record<string, string>> = {
  NOT_INUSE: 'Not in use',
  INUSE: 'In use',
  BUSY: 'Busy',
  UNAVAILABLE: 'Unavailable',
  RINGING: 'Ringing',
  RINGINUSE: 'Ring+Inuse',
  ONHOLD: 'On Hold',
};

/** Channels of an endpoint. */
export function channelsOf(pbx: Pbx, endpoint: Endpoint): readonly Channel[] {
  const found: Channel[] = [];
  for (const channel of pbx.channels.values()) if (channel.line.endpoint === endpoint) found.push(channel);
  return found;
}

/** Device state of an endpoint now, by Asterisk's name for it. */
export function deviceState(pbx: Pbx, endpoint: Endpoint): string {
  const channels = channelsOf(pbx, endpoint).filter((channel) => channel.state !== 0);
  const ringing = channels.some((channel) => channel.state === 5);
  const used = channels.filter((channel) => channel.state !== 5);
  if (ringing) return used.length > 0 ? 'RINGINUSE' : 'RINGING';
  // ONHOLD is told of the one who hears the music, not of the one who pressed hold.
  if (used.length > 0) return used.every((channel) => peerOf(channel)?.holding === true) ? 'ONHOLD' : 'INUSE';
  return endpoint.lines.some((line) => line.registered) ? 'NOT_INUSE' : 'UNAVAILABLE';
}

/** `Not in use`, as PJSIPShowEndpoints writes it. */
export function deviceStateWords(state: string): string {
  return words[state] ?? 'Unknown';
}

/** Headers of an ExtensionStatus, live or in a list. */
export function extensionLines(endpoint: Endpoint, state: string): string {
  const [status, text] = extensionStates[state] ?? [-1, 'Unknown'];
  return lines([
    ['Exten', endpoint.number],
    ['Context', 'hints'],
    ['Hint', `PJSIP/${endpoint.number}`],
    ['Status', status],
    ['StatusText', text],
  ]);
}

/** Tells the device state of an endpoint and what hangs on it, if it changed. */
export function publishDevice(pbx: Pbx, endpoint: Endpoint): void {
  // Halves of Local channels have no device.
  if (endpoint.lines.length === 0) return;
  const state = deviceState(pbx, endpoint);
  if (state === endpoint.told) return;
  endpoint.told = state;
  if (endpoint.hint) pbx.publish('ExtensionStatus', 'call', extensionLines(endpoint, state));
  pbx.publish(
    'DeviceStateChange',
    'call',
    lines([
      ['Device', `PJSIP/${endpoint.number}`],
      ['State', state],
    ]),
  );
  for (const queue of pbx.queues.values()) {
    if (queue.members.includes(endpoint.number)) publishMember(pbx, queue, endpoint, state);
  }
}

/** Tells of a queue's member: its state (QueueMemberStatus) or its break (QueueMemberPause). */
export function memberEvent(pbx: Pbx, name: string, queue: Queue, endpoint: Endpoint, state: string): void {
  const body = lines([
    ['Queue', queue.name],
    ['MemberName', memberName(queue, endpoint)],
    ['Interface', `PJSIP/${endpoint.number}`],
    ['StateInterface', `PJSIP/${endpoint.number}`],
    ...memberDetails(pbx, queue, endpoint, state, true),
  ]);
  pbx.publish(name, 'agent', body);
}

/** As QueueAdd said, or the configuration. */
export function memberName(queue: Queue, endpoint: Endpoint): string {
  return queue.dynamic.get(endpoint.number)?.name ?? endpoint.callerId?.name ?? '';
}

function publishMember(pbx: Pbx, queue: Queue, endpoint: Endpoint, state: string): void {
  memberEvent(pbx, 'QueueMemberStatus', queue, endpoint, state);
  const available = queue.members.some((number) => pbx.endpoints.get(number)?.told === 'NOT_INUSE');
  if (available === queue.available) return;
  queue.available = available;
  const device = lines([
    ['Device', `Queue:${queue.name}_avail`],
    ['State', available ? 'NOT_INUSE' : 'INUSE'],
  ]);
  pbx.publish('DeviceStateChange', 'call', device);
}

/** The tail of a queue member's headers; live events have Ringinuse, lists have not. */
export function memberDetails(
  pbx: Pbx,
  queue: Queue,
  endpoint: Endpoint,
  state: string,
  live: boolean,
): readonly (readonly [string, string | number])[] {
  const ringinuse: readonly (readonly [string, string | number])[] = live ? [['Ringinuse', 0]] : [];
  return [
    ['Membership', queue.dynamic.has(endpoint.number) ? 'dynamic' : 'static'],
    ['Penalty', queue.dynamic.get(endpoint.number)?.penalty ?? 0],
    ['CallsTaken', 0],
    ['LastCall', 0],
    ['LastPause', 0],
    ['LoginTime', Math.floor(pbx.started / 1000)],
    ['InCall', 0],
    ['Status', memberStates[state] ?? 0],
    ['Paused', queue.paused.has(endpoint.number) ? 1 : 0],
    ['PausedReason', queue.paused.get(endpoint.number) ?? ''],
    ...ringinuse,
    ['Wrapuptime', 0],
  ];
}
