import { describe, expect, test } from 'vitest';
import { expectNumber } from '../../src/calls/originate.ts';
import { reduce } from '../../src/calls/reduce.ts';
import { createWorld, type World } from '../../src/calls/world.ts';
import type { PbxEvent, Snapshot, SnapshotChannel } from '../../src/pbx/events.ts';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import { recordings } from './recordings.ts';

function emptyWorld(): World {
  return createWorld({
    deviceOf: (name) =>
      name.startsWith('PJSIP/') ? (name.slice(0, name.lastIndexOf('-')) as DeviceName) : undefined,
    extension: () => undefined,
    serviceAt: () => '',
  });
}

/** How much is kept, device states apart: those are as many as devices. */
function kept(world: World): Record<string, number> {
  const { legs, rooms, groups, halves, calls, byDevice, offers } = world;
  const sizes = Object.entries({ legs, rooms, groups, halves, calls, byDevice, offers });
  return Object.fromEntries(sizes.flatMap(([name, { size }]) => (size === 0 ? [] : [[name, size]])));
}

const withCalls = recordings.filter(({ events }) => events().some(({ type }) => type === 'channel-new'));

describe('what is kept', () => {
  test.each(withCalls)('is nothing after $name', ({ events }) => {
    const world = emptyWorld();
    for (const event of events()) reduce(world, event);
    expect(kept(world)).toEqual({});
  });

  test('is nothing after a snapshot of an idle system, whatever was lost before', () => {
    const idle: PbxEvent = {
      type: 'snapshot',
      at: 1,
      snapshot: { channels: [], bridges: [], devices: new Map(), meanwhile: [] },
    };
    for (const { events } of withCalls) {
      const world = emptyWorld();
      // Every third event is lost.
      for (const [index, event] of events().entries()) if (index % 3 !== 0) reduce(world, event);
      reduce(world, idle);
      expect(kept(world)).toEqual({});
    }
  });

  test('of numbers that were expected and never called is bounded', () => {
    const world = emptyWorld();
    for (let i = 0; i < 5000; i++) expectNumber(world, `lab-${i}`, '370');
    expect(world.expected.size).toBe(1000);
    expect(world.expected.has('lab-4999')).toBe(true);
  });
});

/** Snapshot of so many answered calls. */
function busySnapshot(calls: number): Snapshot {
  const channels: SnapshotChannel[] = [];
  for (let call = 0; call < calls; call++) {
    for (const side of [0, 1]) {
      const own = `${1000 + 2 * call + side}`;
      const other = `${1000 + 2 * call + 1 - side}`;
      channels.push({
        name: `PJSIP/${own}-0000${call}` as ChannelId,
        uniqueId: `lab-${call}.${side}`,
        linkedId: `lab-${call}.0`,
        state: 'up',
        callerNumber: own,
        callerName: '',
        connectedNumber: other,
        connectedName: '',
        context: 'internal',
        exten: side === 0 ? other : '',
        application: side === 0 ? 'Dial' : 'AppDial',
        applicationData: side === 0 ? `PJSIP/${other},30` : '(Outgoing Line)',
        bridgeId: `bridge-${call}`,
        seconds: 5,
      });
    }
  }
  const bridges = Array.from({ length: calls }, (_, call) => ({
    id: `bridge-${call}`,
    type: 'basic',
    size: 2,
    channels: [`lab-${call}.0`, `lab-${call}.1`],
  }));
  return { channels, bridges, devices: new Map(), meanwhile: [] };
}

describe('a snapshot of thousands of channels', () => {
  test('tells every call once, and nothing the second time', () => {
    const world = emptyWorld();
    const event: PbxEvent = { type: 'snapshot', at: 10_000, snapshot: busySnapshot(2500) };
    reduce(world, event);
    expect(world.out.length).toBe(5000);
    expect(
      new Set(world.out.map((change) => (change.kind === 'channel' ? change.type : change.kind))),
    ).toEqual(new Set(['busy']));
    world.out = [];
    reduce(world, event);
    expect(world.out).toEqual([]);
  });
});
