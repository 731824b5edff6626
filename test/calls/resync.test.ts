import { describe, expect, test } from 'vitest';
import type { Calls } from '../../src/calls/calls.ts';
import { createInvariants } from '../../src/calls/invariants.ts';
import { decodeMemory, encodeMemory } from '../../src/calls/memory-text.ts';
import type { PbxEvent, Snapshot } from '../../src/pbx/events.ts';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import { officeCalls } from './office.ts';
import { recordings } from './recordings.ts';
import { createTracker } from './tracker.ts';

// Within this time a telephone is between two states: answered but not connected yet, left but not hung up yet.
const momentMs = 30;

interface Belief {
  readonly line: string;
  /** Empty while nobody has said it yet. */
  readonly number: string;
  readonly held: boolean;
}

type Beliefs = ReadonlyMap<string, Belief>;

interface Moment {
  readonly at: number;
  readonly beliefs: Beliefs;
  readonly snapshot: Snapshot;
}

/** What users would say of their calls. */
function believed(calls: Calls): Beliefs {
  const told = calls.channels().filter((view) => view.state !== 'new');
  return new Map(
    told.map(({ channel, state, outbound, other, held, remoteHeld, service }) => [
      channel,
      {
        line: `${state} ${outbound ? '->' : '<-'} ${service}`,
        number: other.number,
        held: held || remoteHeld,
      },
    ]),
  );
}

/** The office's model, which knows what it has originated itself. */
function modelOf(events: readonly PbxEvent[]): Calls {
  const calls = officeCalls();
  for (const event of events) {
    if (event.type === 'originate-response' && event.uniqueId !== '') calls.expect(event.uniqueId, 'chosen');
  }
  return calls;
}

/** The model and the lists at every boundary of a recording, as they are when nothing is missed. */
function follow(events: readonly PbxEvent[]): Moment[] {
  const calls = modelOf(events);
  const tracker = createTracker();
  const moments = [{ at: events[0]?.at ?? 0, beliefs: believed(calls), snapshot: tracker.snapshot(0) }];
  for (const event of events) {
    calls.apply(event);
    tracker.see(event);
    moments.push({ at: event.at, beliefs: believed(calls), snapshot: tracker.snapshot(event.at) });
  }
  return moments;
}

/** What is believed that was true of no telephone around this moment. Hold may be forgotten, but not made up. */
function differences(got: Beliefs, want: Beliefs, around: readonly Moment[]): string[] {
  const wrong: string[] = [];
  for (const [channel, belief] of got) {
    const truths = around.flatMap(({ beliefs }) => beliefs.get(channel) ?? []);
    const isTrue = ({ line, number }: Belief) =>
      line === belief.line && (number === belief.number || belief.number === '');
    if (!truths.some(isTrue)) wrong.push(`${channel} is not ${belief.line} ${belief.number}`);
    if (belief.held && !truths.some(({ held }) => held)) wrong.push(`${channel} is not on hold`);
  }
  for (const [channel, belief] of want) {
    const passing = around.some(({ beliefs }) => !beliefs.has(channel));
    if (!got.has(channel) && !passing) wrong.push(`${channel} is ${belief.line}`);
  }
  return wrong;
}

/** Channels that have ended for their users, but not yet for Asterisk. */
function handedOver(truth: readonly Moment[], back: number): string[] {
  const moment = truth[back];
  const earlier = new Set(truth.slice(0, back).flatMap(({ beliefs }) => [...beliefs.keys()]));
  const listed = moment?.snapshot.channels.map(({ name }) => name) ?? [];
  return listed.filter((name) => earlier.has(name) && moment?.beliefs.has(name) === false);
}

const withCalls = recordings.filter(({ events }) => events().some(({ type }) => type !== 'device-state'));

/** The model of another bridge, which knows of these channels what the one before it has told, as it came through the store. */
function restarted(before: Calls, events: readonly PbxEvent[], channels: ReadonlySet<ChannelId>): Calls {
  const told = [...channels].flatMap((channel) => before.remember(channel) ?? []);
  const read = told.flatMap((memory) => decodeMemory(encodeMemory({ memory, sure: true }))?.memory ?? []);
  expect(read).toEqual(told);
  const calls = modelOf(events);
  expect(calls.restore(read)).toEqual([]);
  return calls;
}

/** What is believed by whoever begins to listen now. */
function atFirstSight(events: readonly PbxEvent[], { at, snapshot }: Moment): Beliefs {
  const calls = modelOf(events);
  calls.apply({ type: 'snapshot', at, snapshot });
  return believed(calls);
}

const gaps = [0, 1, 2, 5, 12, 30, 80, 1000].flatMap((missed) => [
  { missed, how: 'missed' },
  { missed, how: 'missed by a bridge that is restarted' },
]);

describe.each(withCalls)('$name, cut at every message', ({ events }) => {
  const all = events();
  const truth = follow(all);

  test.each(gaps)('with $missed messages $how', ({ missed, how }) => {
    for (let cut = 0; cut <= all.length; cut++) {
      const back = Math.min(all.length, cut + missed);
      const moment = truth[back];
      if (moment === undefined) throw new Error('no such moment');
      const around = truth.filter((other) => Math.abs(other.at - moment.at) < momentMs);
      let calls = modelOf(all);
      const invariants = createInvariants();
      const broken: string[] = [];
      const seen = new Set<ChannelId>();
      const take = (event: PbxEvent) => {
        for (const change of calls.apply(event)) {
          broken.push(...invariants.check(change));
          if (change.kind === 'channel') seen.add(change.view.channel);
        }
      };
      for (const event of all.slice(0, cut)) take(event);
      take({ type: 'feed-down', at: moment.at });
      if (how !== 'missed') calls = restarted(calls, all, seen);
      const toldBefore = new Set(seen);
      take({ type: 'snapshot', at: moment.at, snapshot: moment.snapshot });
      // Asterisk lists the channel of a telephone that hung up for a transfer until the target answers: no list tells better.
      const got = new Map(believed(calls));
      for (const channel of handedOver(truth, back)) got.delete(channel);
      // Of what nobody was told of, a new bridge knows as much as one that is started for the first time.
      const unseen = how === 'missed' ? new Map<string, Belief>() : atFirstSight(all, moment);
      const excused = [...unseen].filter(
        ([channel, { line }]) => !toldBefore.has(channel as ChannelId) && got.get(channel)?.line === line,
      );
      const wrong = differences(got, moment.beliefs, around).filter(
        (text) => !excused.some(([channel]) => text.startsWith(`${channel} `)),
      );
      const again = calls.apply({ type: 'snapshot', at: moment.at, snapshot: moment.snapshot });
      // Lists overtake events: the last ones may come once more, and are in the lists already.
      for (const event of all.slice(Math.max(cut, back - 4), back)) take(event);
      for (const event of all.slice(back)) take(event);
      const where = `cut at ${cut}, back at ${back} (${all[back - 1]?.type})`;
      expect({ where, wrong, again, broken, open: invariants.open() }).toEqual({
        where,
        wrong: [],
        again: [],
        broken: [],
        open: [],
      });
    }
  });
});
