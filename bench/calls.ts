/**
 * The call model: what an event costs with 10 and with 10,000 calls in progress (ratio), and how long a snapshot of 5,000
 * channels takes as a whole, and in slices between which commands are served (`limit` in the same line).
 */
import type { Calls, SnapshotEvent } from '../src/calls/calls.ts';
import { deviceOfChannel } from '../src/calls/devices.ts';
import { createCalls } from '../src/calls/model.ts';
import type { Bridge, Channel, ChannelState, PbxEvent, SnapshotChannel } from '../src/pbx/events.ts';
import type { ChannelId } from '../src/pbx/pbx.ts';
import { report, row } from './report.ts';

const rounds = 9;
const eventsPerCall = 16;

const newCalls = () => createCalls({ deviceOf: deviceOfChannel });

function channel(id: string, group: string, number: string, state: ChannelState, other: string): Channel {
  return {
    name: `PJSIP/${number}-${id}` as ChannelId,
    uniqueId: id,
    linkedId: group,
    state,
    callerNumber: number,
    callerName: `Person ${number}`,
    connectedNumber: other,
    connectedName: other === '' ? '' : `Person ${other}`,
    context: 'internal',
    exten: other,
  };
}

/** A call from its first event to the answer, and a hold; {@link ending} is the rest. */
function beginning(call: number): PbxEvent[] {
  const [from, to] = [`${1000 + 2 * call}`, `${1001 + 2 * call}`];
  const [a, b] = [`a${call}`, `b${call}`];
  const at = 1;
  const caller = (state: ChannelState, other: string) => channel(a, a, from, state, other);
  const dest = (state: ChannelState) => channel(b, a, to, state, from);
  const bridge: Bridge = { id: `bridge${call}`, type: 'basic', size: 2 };
  return [
    { type: 'channel-new', at, channel: caller('ring', '') },
    { type: 'channel-new', at, channel: dest('down') },
    { type: 'dial-begin', at, caller: caller('ring', ''), dest: dest('down'), dialString: to },
    { type: 'channel-update', at, channel: caller('ring', to) },
    { type: 'channel-update', at, channel: dest('ringing') },
    { type: 'dial-state', at, caller: caller('ring', to), dest: dest('ringing'), status: 'RINGING' },
    { type: 'channel-update', at, channel: dest('up') },
    { type: 'dial-end', at, caller: caller('ring', to), dest: dest('up'), status: 'ANSWER', forward: '' },
    { type: 'channel-update', at, channel: caller('up', to) },
    { type: 'bridge-enter', at, channel: dest('up'), bridge, swaps: '' },
    { type: 'bridge-enter', at, channel: caller('up', to), bridge, swaps: '' },
    { type: 'hold', at, channel: dest('up') },
  ];
}

function ending(call: number): PbxEvent[] {
  const [from, to] = [`${1000 + 2 * call}`, `${1001 + 2 * call}`];
  const [a, b] = [`a${call}`, `b${call}`];
  const at = 1;
  const caller = channel(a, a, from, 'up', to);
  const dest = channel(b, a, to, 'up', from);
  const bridge: Bridge = { id: `bridge${call}`, type: 'basic', size: 1 };
  return [
    { type: 'hangup-request', at, channel: caller, cause: 16 },
    { type: 'bridge-leave', at, channel: caller, bridge },
    { type: 'hangup', at, channel: caller, cause: 16 },
    { type: 'hangup', at, channel: dest, cause: 16 },
  ];
}

/** CPU time in milliseconds: what else the machine does is not the model's. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (values: readonly number[]) =>
  [...values].sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;

/** Microseconds an event, with so many calls in progress all the while. */
function costOfEvent(inProgress: number): number {
  const calls = newCalls();
  for (let call = 0; call < inProgress; call++) for (const event of beginning(call)) calls.apply(event);
  const measured = 2000;
  const costs: number[] = [];
  let next = inProgress;
  for (let round = -2; round < rounds; round++) {
    const events = Array.from({ length: measured }, (_, index) => [
      ...beginning(next + index),
      ...ending(next + index),
    ]).flat();
    next += measured;
    let told = 0;
    const took = cpuOf(() => {
      for (const event of events) told += calls.apply(event).length;
    });
    if (told === 0) throw new Error('nothing was told');
    // The first rounds warm up.
    if (round >= 0) costs.push((took * 1000) / (measured * eventsPerCall));
  }
  if (calls.channels().length !== 2 * inProgress) throw new Error('calls are left over');
  return median(costs);
}

/** The snapshot of so many channels, two a call, all talking. */
function snapshotOf(channels: number): SnapshotEvent {
  const listed: SnapshotChannel[] = [];
  const bridges: (Bridge & { channels: string[] })[] = [];
  for (let call = 0; call < channels / 2; call++) {
    const [from, to] = [`${1000 + 2 * call}`, `${1001 + 2 * call}`];
    const [a, b] = [`a${call}`, `b${call}`];
    const id = `bridge${call}`;
    const common = { bridgeId: id, applicationData: '', seconds: 60 };
    listed.push(
      { ...channel(a, a, from, 'up', to), ...common, application: 'Dial', applicationData: `PJSIP/${to},30` },
      { ...channel(b, a, to, 'up', from), ...common, application: 'AppDial' },
    );
    bridges.push({ id, type: 'basic', size: 2, channels: [a, b] });
  }
  return {
    type: 'snapshot',
    at: 1,
    snapshot: { channels: listed, bridges, devices: new Map(), meanwhile: [] },
  };
}

/** Milliseconds that snapshots take as a whole, and the longest slices of each: so long commands may have to wait. */
function costOfSnapshot(
  channels: number,
  before: (calls: Calls) => void,
): { readonly whole: number[]; readonly slices: number[] } {
  const costs = { whole: [] as number[], slices: [] as number[] };
  for (let round = -2; round < rounds; round++) {
    const calls = newCalls();
    before(calls);
    const steps = calls.digest(snapshotOf(channels))[Symbol.iterator]();
    const slices: number[] = [];
    for (let done = false; !done; ) {
      slices.push(
        cpuOf(() => {
          done = steps.next().done === true;
        }),
      );
    }
    if (calls.channels().length !== channels) throw new Error('not every channel was taken in');
    if (round < 0) continue;
    costs.whole.push(slices.reduce((sum, one) => sum + one, 0));
    costs.slices.push(Math.max(...slices));
  }
  return costs;
}

const few = 10;
const many = 10_000;
const cheap = costOfEvent(few);
const dear = costOfEvent(many);
report(row(`an event with ${few} calls in progress`, `${cheap.toFixed(2)} µs`, ''));
report(row(`an event with ${many.toLocaleString('en')} calls in progress`, `${dear.toFixed(2)} µs`, ''));
report(row('the same, many calls to few', (dear / cheap).toFixed(2), '≤ 1.5'));

const size = 5000;
const limits = { whole: 500, slice: 50 };
const situations: readonly [name: string, before: (calls: Calls) => void][] = [
  ['nothing known before', () => {}],
  ['all of it known', (calls) => void calls.apply(snapshotOf(size))],
  [
    'as many others over',
    (calls) => {
      for (let call = size; call < size + size / 2; call++)
        for (const event of beginning(call)) calls.apply(event);
    },
  ],
];
for (const [name, before] of situations) {
  const { whole, slices } = costOfSnapshot(size, before);
  // Of each round the longest, and of those the median: where the collector strikes, a slice is the collector's.
  const longest = median(slices).toFixed(0);
  report(
    row(
      `a snapshot of ${size.toLocaleString('en')} channels, ${name}`,
      `${median(whole).toFixed(0)} ms, in slices of ${longest} ms at the most`,
      `< ${limits.whole} ms, slices < ${limits.slice} ms`,
    ),
  );
}
