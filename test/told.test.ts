/** What is kept of what was told, between a call model and a store. */

import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { Calls } from '../src/calls/calls.ts';
import type { CallChange, ChannelChange } from '../src/calls/changes.ts';
import type { PbxEvent, Snapshot } from '../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../src/pbx/pbx.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createTold, type Told } from '../src/told.ts';
import { officeCalls } from './calls/office.ts';
import { recordings } from './calls/recordings.ts';
import { createTracker } from './calls/tracker.ts';
import { until } from './servers/until.ts';

const log = pino({ level: 'silent' });
const open: Told[] = [];
afterEach(() => {
  for (const told of open.splice(0)) told.stop();
});

/** Anna calls Bernd, he answers, Anna hangs up. */
const events =
  recordings.find(({ name }) => name === '01_call_caller_hangs_up')?.events() ?? expect.fail('no recording');
const [caller, called] = ['PJSIP/340', 'PJSIP/370'];

/** A bridge's part that matters here, with the store that the next one finds. */
function bridge(store = createMemoryStore(), unheard = false) {
  const calls = officeCalls();
  const tracker = createTracker();
  let waiting = 0;
  const told = createTold({
    store,
    calls,
    unheard,
    caughtUp: () => waiting === 0,
    log,
    gatherMs: 5,
    max: 100,
  });
  open.push(told);
  const said: CallChange[] = [];
  return {
    store,
    calls,
    told,
    said,
    /** Takes events in until one satisfies; returns the rest. */
    follow(
      all: readonly PbxEvent[],
      enough: (calls: Calls) => boolean = () => false,
      heard = true,
    ): readonly PbxEvent[] {
      for (const [at, event] of all.entries()) {
        tracker.see(event);
        for (const change of calls.apply(event)) {
          said.push(change);
          told.note(change, heard);
        }
        if (enough(calls)) return all.slice(at + 1);
      }
      return [];
    },
    /** Everything that was told has arrived. */
    arrived() {
      told.ask()();
      told.flush();
    },
    hold(count: number) {
      waiting = count;
    },
    snapshot: (at: number) => tracker.snapshot(at),
    kept: () => store.loadCalls(),
  };
}

const both = (state: string) => (calls: Calls) =>
  calls.channels().filter((view) => view.state === state).length === 2;
const at = (device: string, changes: readonly CallChange[]) =>
  changes.flatMap((change) =>
    change.kind === 'channel' && change.view.device === device
      ? [`${change.type} ${change.details}`.trim()]
      : [],
  );

/** The next bridge, and what it says of this state of the telephone system. */
async function next(store: ReturnType<typeof createMemoryStore>, snapshot: Snapshot, time: number) {
  const other = bridge(store);
  expect(other.calls.restore(await other.told.load(false))).toEqual([]);
  const said = other.calls.apply({ type: 'snapshot', at: time, snapshot });
  const again = other.told.again(said, time);
  for (const change of [...said, ...again]) other.told.note(change, true);
  return { ...other, said: [...said, ...again].filter(({ kind }) => kind !== 'device') };
}

const nobody: Snapshot = { channels: [], bridges: [], devices: new Map(), meanwhile: [] };

describe('what clients were told of calls', () => {
  it('is known to the next bridge: what goes on is not told again, what is over is ended', async () => {
    const one = bridge();
    one.follow(events, both('busy'));
    one.arrived();
    expect([...(await one.kept()).keys()].map((name) => name.slice(0, 9)).sort()).toEqual([caller, called]);
    const time = Date.now();
    expect((await next(one.store, one.snapshot(time), time)).said).toEqual([]);
    const { said } = await next(one.store, nobody, time);
    expect([at(caller, said), at(called, said)]).toEqual([['hangup normal'], ['hangup normal']]);
    expect(said.filter((change): change is ChannelChange => change.kind === 'channel')).toMatchObject([
      { view: { state: 'ended', own: { number: '340' }, other: { number: '370' } } },
      { view: { state: 'ended', own: { number: '370' }, other: { number: '340' } } },
    ]);
  });

  it('withdraws what others were offered to pick up', async () => {
    const one = bridge();
    one.follow(events, (calls) =>
      calls.channels().some(({ state, outbound }) => !outbound && state === 'ringing'),
    );
    one.arrived();
    const { said } = await next(one.store, nobody, Date.now());
    expect(said.filter(({ kind }) => kind === 'pickup')).toMatchObject([{ type: 'gone', device: called }]);
    expect(at(called, said)).toEqual(['hangup unknown']);
  });

  it('is told once more where it may not have arrived, and ended all the same', async () => {
    const one = bridge();
    one.follow(events, both('busy'));
    one.told.flush();
    const time = Date.now();
    const { said, arrived } = await next(one.store, one.snapshot(time), time);
    expect([at(caller, said), at(called, said)]).toEqual([['busy'], ['busy']]);
    arrived();
    expect((await next(one.store, one.snapshot(time), time)).said).toEqual([]);
    expect(at(caller, (await next(one.store, nobody, time)).said)).toEqual(['hangup normal']);
  });

  it('counts as not arrived while other things wait: they may be about the same call', async () => {
    const one = bridge();
    one.follow(events, both('busy'));
    one.hold(1);
    one.arrived();
    const time = Date.now();
    expect(at(caller, (await next(one.store, one.snapshot(time), time)).said)).toEqual(['busy']);
    one.hold(0);
    one.arrived();
    expect((await next(one.store, one.snapshot(time), time)).said).toEqual([]);
  });

  it('is forgotten with the end, once that has arrived', async () => {
    const one = bridge();
    const rest = one.follow(events, both('busy'));
    one.arrived();
    one.follow(rest);
    one.told.flush();
    // The end may be lost with the stream: it is told again rather than not at all.
    expect((await one.kept()).size).toBe(2);
    one.arrived();
    expect(await one.kept()).toEqual(new Map());
    expect(one.told.size).toBe(0);
  });

  it('that nobody heard is kept where its end is wanted, and forgotten with it', async () => {
    const silent = bridge();
    silent.follow(events, both('busy'), false);
    silent.told.flush();
    expect(await silent.kept()).toEqual(new Map());
    const one = bridge(undefined, true);
    const rest = one.follow(events, both('busy'), false);
    one.told.flush();
    const time = Date.now();
    expect((await next(one.store, one.snapshot(time), time)).said).toEqual([]);
    expect(at(caller, (await next(one.store, nobody, time)).said)).toEqual(['hangup normal']);
    // Nothing has to arrive anywhere, but what waits may be about it.
    one.hold(1);
    one.follow(rest, undefined, false);
    one.told.flush();
    expect((await one.kept()).size).toBe(2);
    one.hold(0);
    one.told.flush();
    expect(await one.kept()).toEqual(new Map());
    expect(one.told.size).toBe(0);
  });

  it('goes to the store by itself, and not at all where the call is over before', async () => {
    const one = bridge();
    const rest = one.follow(events, both('busy'));
    await until('the store has it', async () => (await one.kept()).size === 2);
    one.follow(rest);
    one.arrived();
    await until('the store has forgotten it', async () => (await one.kept()).size === 0);
    const saved: string[] = [];
    const short = bridge({ ...createMemoryStore(), saveCall: (channel) => void saved.push(channel) });
    short.follow(events);
    short.arrived();
    expect(saved).toEqual([]);
  });

  it('is nothing where nobody heard of it', async () => {
    const one = bridge();
    for (const event of events) for (const change of one.calls.apply(event)) one.told.note(change, false);
    one.arrived();
    expect(one.told.size).toBe(0);
  });

  it('has a limit', () => {
    const one = bridge();
    const view = { device: caller as DeviceName };
    for (let n = 0; n < 150; n++) {
      const change = {
        kind: 'channel',
        type: 'busy',
        details: '',
        view: { ...view, channel: `c${n}` as ChannelId },
        at: 1,
      };
      one.told.note(change as ChannelChange, true);
    }
    expect(one.told.size).toBe(100);
  });

  it('that comes late, for the store was away: ends are told at once, the rest as it is now', async () => {
    const one = bridge();
    one.follow(events, both('busy'));
    one.arrived();
    const time = Date.now();
    for (const snapshot of [nobody, one.snapshot(time)]) {
      const other = bridge(one.store);
      other.calls.apply({ type: 'snapshot', at: time, snapshot });
      const ends = other.calls.restore(await other.told.load(true));
      const said = [...ends, ...other.told.again(ends, time)];
      expect(at(caller, said)).toEqual([snapshot === nobody ? 'hangup unknown' : 'busy']);
      expect(other.calls.channels()).toHaveLength(snapshot === nobody ? 0 : 2);
    }
  });

  it('makes a store true that was away or is another', async () => {
    const one = bridge();
    one.follow(events, both('busy'));
    await one.told.load(false);
    one.arrived();
    const kept = await one.kept();
    for (const name of kept.keys()) one.store.deleteCall(name);
    one.store.saveCall('PJSIP/999-0000001', 'of an older day', true);
    expect(await one.told.load(true)).toEqual([]);
    one.told.flush();
    expect(await one.kept()).toEqual(kept);
  });

  it('of another version is not read, and not kept', async () => {
    const store = createMemoryStore();
    for (const text of ['', 'nonsense', '[0,true,{}]', '[1,true,{"view":{}}]']) {
      store.saveCall(`PJSIP/340-${text.length}`, text, true);
    }
    expect(await bridge(store).told.load(false)).toEqual([]);
    expect(await store.loadCalls()).toEqual(new Map());
  });
});
