import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { ChannelView, ParkChange } from '../src/calls/changes.ts';
import type { Change } from '../src/changes.ts';
import { createParked, maxParked } from '../src/parked.ts';
import type { Channel, PbxEvent, Snapshot, SnapshotChannel } from '../src/pbx/events.ts';
import type { ChannelId, DeviceName, ParkedCall, PbxState } from '../src/pbx/pbx.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import { parkedCall, view } from './modules/harness.ts';
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
const trunk: Channel = {
  ...channelOf('1.0', 'PJSIP/trunk-00000001'),
  callerNumber: '0301234',
  callerName: 'Customer',
};
const boss = channelOf('3.0', 'PJSIP/320-00000003');

const change = (type: ParkChange['type']): ParkChange => ({
  kind: 'park',
  uniqueId: trunk.uniqueId,
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
const lot = { parker: 'PJSIP/340', lot: 'default', space: '701', timeout: 45 };
const event = (type: 'parked' | 'unparked' | 'park-gave-up', parkee = trunk): PbxEvent => ({
  type,
  at: 1,
  parkee,
  retriever: undefined,
  ...lot,
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
  const views: ChannelView[] = [];
  const known = new Set<string>(['PJSIP/340', 'PJSIP/320']);
  const deviceOf = (channel: string) => {
    const device = channel.split('-')[0] ?? '';
    return known.has(device) ? (device as DeviceName) : undefined;
  };
  let list: () => Promise<readonly ParkedCall[]> = async () => [];
  const states: ((state: PbxState) => void)[] = [];
  const noted: [string, string][] = [];
  const said: Change[] = [];
  const parked = createParked({
    store,
    pbx: {
      parkedCalls: () => list(),
      reread: () => {
        rereads += 1;
      },
      onState(listener) {
        states.push(listener);
        return () => {};
      },
    },
    calls: { channels: () => views, parked: (...what) => noted.push(what) },
    deviceOf,
    log: pino({ level: 'silent' }),
    now: () => 9,
  });
  /** Tells, as far as the server is there. */
  function tell(changes: readonly Change[], sure = true): readonly Change[] {
    for (const each of changes) parked.told?.(each, true);
    if (sure) parked.ask?.()();
    return changes;
  }
  parked.onChange?.((changes) => said.push(...tell(changes)));
  /** What the call model says of an event is told before what this one says. */
  function apply(each: PbxEvent, changes: readonly ParkChange[], sure = true): readonly Change[] {
    const own = parked.apply(each, changes);
    tell([...changes, ...own], sure);
    return own;
  }
  return {
    ...parked,
    apply,
    /** It is parked, and nobody knows whether the news arrives. */
    parkInVain: () => apply(event('parked'), [change('parked')], false),
    /** It is parked while the XMPP server is away. */
    parkUntold: () => parked.apply(event('parked'), [change('parked')]),
    /** It is fetched while the XMPP server is away. */
    endUntold: () => parked.apply(event('unparked'), [change('retrieved')]),
    /** Channels of users. */
    views,
    /** What the call model knows of parked calls. */
    noted,
    /** What was said without an event. */
    said,
    /** What Asterisk answers who asks for the list. */
    lists: (answer: typeof list) => {
      list = answer;
    },
    connects: () => {
      for (const tell of states) tell({ control: true, feed: true, reason: '' });
    },
    get rereads() {
      return rereads;
    },
    park: () => apply(event('parked'), [change('parked')]),
    end: () => apply(event('unparked'), [change('retrieved')]),
    /** What a snapshot makes it say: type and retriever. */
    look: (...args: Parameters<typeof snapshot>) =>
      apply(snapshot(...args), []).map((each) =>
        each.kind === 'park' ? [each.type, each.retriever, each.at] : each,
      ),
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

describe('a call that was parked while nobody listened', () => {
  const waiting = [[trunk, 'lot']] as const;
  const listed = parkedCall(trunk.name, {
    uniqueId: trunk.uniqueId,
    callerName: 'Customer',
    callerNumber: '0301234',
  });
  const begun = { ...change('parked'), at: 9 };
  const turn = () => new Promise(setImmediate);

  it('is told once, as the feed would have told it, and no event that comes for it again is news', async () => {
    const { look, lists, said, noted } = model();
    lists(async () => [listed]);
    for (const _ of [1, 2]) {
      look(waiting);
      await turn();
      expect(said).toEqual([begun]);
    }
    expect(noted).toContainEqual([trunk.uniqueId, '701']);
    expect(look([])).toEqual([['abandoned', '', 7]]);
  });

  it('bears the name by which clients know the channel of a user', async () => {
    const { views, look, lists, said } = model();
    const channel = 'PJSIP/370-0000000a' as ChannelId;
    views.push(view({ uniqueId: trunk.uniqueId, channel }));
    lists(async () => [listed]);
    look(waiting);
    await turn();
    expect(said).toEqual([{ ...begun, channel }]);
  });

  it('is asked for again when there is somebody to ask', async () => {
    const { look, lists, said, connects } = model();
    lists(() => Promise.reject(new Error('away')));
    look(waiting);
    await turn();
    expect(said).toEqual([]);
    lists(async () => [listed]);
    connects();
    await turn();
    connects();
    await turn();
    expect(said).toEqual([begun]);
  });

  it.each<[string, (on: ReturnType<typeof model>) => void]>([
    ['told of it', ({ park }) => park()],
    ['told of its end', ({ end }) => end()],
    ['were lost, and it is gone', ({ look }) => look([])],
  ])('is not told where events, while the list was awaited, %s', async (_, happens) => {
    const on = model();
    let answer = (_: readonly ParkedCall[]) => {};
    const answered = new Promise<readonly ParkedCall[]>((resolve) => {
      answer = resolve;
    });
    on.lists(() => answered);
    on.look(waiting);
    on.lists(async () => []);
    happens(on);
    answer([listed]);
    await turn();
    expect(on.said).toEqual([]);
  });

  it('is not asked for where events that came with the snapshot have told of it', async () => {
    const { look, lists, said } = model();
    lists(async () => [listed]);
    look(waiting, { meanwhile: [event('parked')] });
    await turn();
    expect(said).toEqual([]);
  });

  it('is remembered where events that came with a snapshot told of it, and forgotten where they told its end', () => {
    const { apply, look } = model();
    apply(snapshot(waiting, { meanwhile: [event('parked')] }), [change('parked')]);
    expect(look([])).toEqual([['abandoned', '', 7]]);
    apply(event('parked'), [change('parked')]);
    apply(snapshot([], { meanwhile: [event('park-gave-up')] }), [change('abandoned')]);
    expect(look([])).toEqual([]);
  });

  it('is not told either where the store brought more than are remembered', async () => {
    const store = createMemoryStore();
    const before = model(store);
    const all = Array.from({ length: maxParked + 3 }, (_, n) => channelOf(`${n}`, `PJSIP/trunk-${n}`));
    for (const each of all.slice(0, maxParked))
      before.apply(event('parked', each), [{ ...change('parked'), uniqueId: each.uniqueId }]);
    const { parkUntold, restore, lists, look, said } = model(store);
    parkUntold();
    await restore?.();
    lists(async () => all.map(({ name, uniqueId }) => parkedCall(name, { uniqueId })));
    look([trunk, ...all].map((each) => [each, 'lot'] as const));
    await turn();
    expect(said).toEqual([]);
  });

  it('is not told where more are parked than are remembered: it would be told again and again', async () => {
    const { look, lists, said } = model();
    const parked = Array.from({ length: maxParked + 1 }, (_, n) => channelOf(`${n}`, `PJSIP/trunk-${n}`));
    const where = parked.map((each) => [each, 'lot'] as const);
    lists(async () => parked.map(({ name, uniqueId }) => parkedCall(name, { uniqueId })));
    for (const _ of [1, 2]) {
      look(where);
      await turn();
      expect(said).toHaveLength(maxParked);
    }
  });
});

describe('after a restart', () => {
  it('the end is told from the first snapshot, with what was told of the beginning', async () => {
    const store = createMemoryStore();
    model(store).park();
    const next = model(store);
    // Its end is owed, also where the XMPP server is not there yet.
    expect(await next.restore?.()).toEqual(['parked 1.0']);
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
    expect(next.noted).toEqual([[trunk.uniqueId, '701']]);
    next.end();
    const last = model(store);
    await last.restore?.();
    expect(last.look([])).toEqual([]);
  });

  it('what was not told any more is told, and what was not confirmed once more', async () => {
    const store = createMemoryStore();
    model(store).parkInVain();
    const next = model(store);
    await next.restore?.();
    expect(next.look([[trunk, 'lot']])).toEqual([['parked', '', 7]]);
    expect(next.look([[trunk, 'lot']])).toEqual([]);
    next.endUntold();
    const last = model(store);
    await last.restore?.();
    expect(last.look([])).toEqual([['abandoned', '', 7]]);
    expect(await store.loadFacts()).toEqual(new Map());
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
    for (const text of ['', '{', '{"kind":"park"}', JSON.stringify([true, change('retrieved')])]) {
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
    one.apply(event('parked', channelOf(`${n}`, `PJSIP/trunk-${n}`)), [
      { ...change('parked'), uniqueId: `${n}` },
    ]);
  expect((await store.loadFacts()).size).toBe(maxParked);
  expect(one.look([])).toHaveLength(maxParked);
});
