import { describe, expect, it } from 'vitest';
import type { ParkChange } from '../src/calls/changes.ts';
import { createParked, maxParked } from '../src/parked.ts';
import type { Channel, PbxEvent, Snapshot, SnapshotChannel } from '../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../src/pbx/pbx.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import { until } from './servers/until.ts';

const channelOf = (uniqueId: string, name: string): Channel => ({
  name: name as ChannelId,
  uniqueId,
  linkedId: uniqueId,
  state: 'up',
  callerNumber: '',
  callerName: '',
  connectedNumber: '',
  connectedName: '',
  context: 'internal',
  exten: '701',
});
const trunk = channelOf('1.0', 'PJSIP/trunk-00000001');
const boss = channelOf('3.0', 'PJSIP/320-00000003');

const change = (type: ParkChange['type']): ParkChange => ({
  kind: 'park',
  type,
  lot: 'default',
  space: '701',
  channel: trunk.name,
  caller: { number: '0301234', name: 'Customer' },
  parker: 'PJSIP/340',
  retriever: '',
  timeout: 45,
  at: 1,
});
const event = (type: 'parked' | 'unparked' | 'park-gave-up', parkee = trunk): PbxEvent => ({
  type,
  at: 1,
  parkee,
  parker: 'PJSIP/340',
  retriever: undefined,
  lot: 'default',
  space: '701',
  timeout: 45,
});

/** A snapshot of these channels, each in the bridge of its name or in none. */
function snapshot(
  where: readonly (readonly [Channel, bridge: string])[],
  options: { readonly bridges?: false; readonly meanwhile?: readonly PbxEvent[] } = {},
): PbxEvent {
  const listed = (channel: Channel, bridgeId: string): SnapshotChannel => ({
    ...channel,
    application: '',
    applicationData: '',
    bridgeId,
    seconds: 9,
  });
  const ids = options.bridges === false ? new Set<string>() : new Set(where.map(([, bridge]) => bridge));
  ids.delete('');
  const state: Snapshot = {
    channels: where.map(([channel, bridge]) => listed(channel, bridge)),
    bridges: [...ids].map((id) => {
      const channels = where.filter(([, bridge]) => bridge === id).map(([channel]) => channel.uniqueId);
      return { id, type: id === 'lot' ? 'parking' : 'basic', size: channels.length, channels };
    }),
    devices: new Map(),
    meanwhile: options.meanwhile ?? [],
  };
  return { type: 'snapshot', at: 7, snapshot: state };
}

function model(
  store: Pick<Store, 'loadFacts' | 'saveFact' | 'deleteFact' | 'onState'> = createMemoryStore(),
) {
  let rereads = 0;
  const known = new Set<string>(['PJSIP/340', 'PJSIP/320']);
  const deviceOf = (channel: string) => {
    const device = channel.split('-')[0] ?? '';
    return known.has(device) ? (device as DeviceName) : undefined;
  };
  const parked = createParked({
    store,
    deviceOf,
    reread: () => {
      rereads += 1;
    },
  });
  return {
    ...parked,
    get rereads() {
      return rereads;
    },
    park: () => parked.apply(event('parked'), [change('parked')]),
    end: () => parked.apply(event('unparked'), [change('retrieved')]),
    /** What a snapshot makes it say: type and retriever. */
    look: (...args: Parameters<typeof snapshot>) =>
      parked
        .apply(snapshot(...args), [])
        .map((each) => (each.kind === 'park' ? [each.type, each.retriever, each.at] : each)),
  };
}

describe('what happened to a parked call that nobody told of', () => {
  it.each<[string, Parameters<typeof snapshot>[0], unknown[]]>([
    ['its channel is gone', [[boss, '']], [['abandoned', '', 7]]],
    [
      'it talks to somebody',
      [
        [boss, 'talk'],
        [trunk, 'talk'],
      ],
      [['retrieved', 'PJSIP/320' as DeviceName, 7]],
    ],
    ['it is in no bridge', [[trunk, '']], [['timeout', '', 7]]],
    ['it waits still', [[trunk, 'lot']], []],
  ])('%s', (_, where, said) => {
    const { park, look } = model();
    park();
    expect(look(where)).toEqual(said);
    // Said once.
    expect(look([])).toEqual(said.length > 0 ? [] : [['abandoned', '', 7]]);
  });

  it('is not said where the feed says it itself, then or later, or bridges are not known', () => {
    const { park, end, look } = model();
    park();
    expect(look([[trunk, 'lot']], { bridges: false })).toEqual([]);
    expect(look([], { meanwhile: [event('park-gave-up')] })).toEqual([]);
    end();
    expect(look([])).toEqual([]);
  });

  it('is not said of who took it where that is nobody we know', () => {
    const { park, look } = model();
    park();
    const stranger = channelOf('4.0', 'PJSIP/999-00000004');
    const where = [
      [stranger, 'talk'],
      [trunk, 'talk'],
    ] as const;
    expect(look(where)).toEqual([['retrieved', '', 7]]);
  });
});

describe('after a restart', () => {
  it('the end is told from the first snapshot, with what was told of the beginning', async () => {
    const store = createMemoryStore();
    model(store).park();
    const next = model(store);
    await next.restore?.();
    expect(next.apply(snapshot([]), [])).toEqual([{ ...change('abandoned'), at: 7 }]);
    expect(next.rereads).toBe(0);
    expect(await store.loadFacts()).toEqual(new Map());
  });

  it('nothing is told of calls that had ended, or wait still', async () => {
    const store = createMemoryStore();
    const first = model(store);
    first.park();
    first.end();
    first.park();
    const next = model(store);
    await next.restore?.();
    expect(next.look([[trunk, 'lot']])).toEqual([]);
    next.end();
    const last = model(store);
    await last.restore?.();
    expect(last.look([])).toEqual([]);
  });

  it('a store that comes late has the state read again, where it says that something was parked', async () => {
    const store = createMemoryStore();
    const late = model(store);
    late.look([]);
    await late.restore?.();
    expect(late.rereads).toBe(0);
    model(store).park();
    const later = model(store);
    expect(later.look([])).toEqual([]);
    await later.restore?.();
    expect(later.rereads).toBe(1);
    expect(later.look([])).toEqual([['abandoned', '', 7]]);
  });

  it('what ended while the store was asked twice is not remembered once more', async () => {
    const store = createMemoryStore();
    model(store).park();
    const answers: (() => void)[] = [];
    const slow = {
      ...store,
      async loadFacts() {
        const facts = await store.loadFacts();
        await new Promise<void>((resolve) => answers.push(resolve));
        return facts;
      },
    };
    const next = model(slow);
    const both = [next.restore?.(), next.restore?.()];
    await until('both are asked', () => answers.length === 2);
    answers[0]?.();
    await both[0];
    expect(next.look([])).toEqual([['abandoned', '', 7]]);
    answers[1]?.();
    await both[1];
    expect(next.look([])).toEqual([]);
  });

  it('what is no memory of ours is thrown away, and the facts of others are left alone', async () => {
    const store = createMemoryStore();
    for (const text of ['', '{', '{"kind":"park"}', JSON.stringify(change('retrieved'))]) {
      store.saveFact(`parked ${text.length}`, text);
    }
    store.saveFact('seat Desk 1', 'x');
    const next = model(store);
    await next.restore?.();
    expect(next.look([])).toEqual([]);
    expect([...(await store.loadFacts()).keys()]).toEqual(['seat Desk 1']);
  });
});

it('writes anew what a store that was away may have lost', async () => {
  const store = createMemoryStore();
  let isBack: (state: Store['state']) => void = () => {};
  const one = model({
    ...store,
    onState(listener) {
      isBack = listener;
      return () => {};
    },
  });
  await one.restore?.();
  one.park();
  store.deleteFact('parked 1.0');
  isBack({ usable: true, pending: 0, reason: '' });
  expect([...(await store.loadFacts()).keys()]).toEqual(['parked 1.0']);
});

it('remembers a bounded number', async () => {
  const store = createMemoryStore();
  const one = model(store);
  for (let n = 0; n < maxParked + 5; n++)
    one.apply(event('parked', channelOf(`${n}`, `PJSIP/trunk-${n}`)), [change('parked')]);
  expect((await store.loadFacts()).size).toBe(maxParked);
  expect(one.look([])).toHaveLength(maxParked);
});
