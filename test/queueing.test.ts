import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDirectory } from '../src/directory.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import { createNumbers } from '../src/phonebook/numbers.ts';
import { createQueueing } from '../src/queueing.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { joins, leaves, member, queues, rings } from './queues/script.ts';

const anna = member('PJSIP/340');

/** Queues at work over a telephone system that tells what it is told to. */
function desk() {
  const directory = createDirectory([]);
  let readings = 0;
  let truth: PbxEvent = queues({ Support: [[anna], []] });
  const queueing = createQueueing({
    pbx: {
      tellQueues: async () => {
        readings += 1;
        queueing.apply(truth, []);
      },
      queueCounters: async () => undefined,
    },
    log: pino({ level: 'silent' }),
    now: Date.now,
    store: createMemoryStore(),
    directory: () => directory,
    numbers: createNumbers('DE', '0'),
    keep: { count: 10, ageMs: 1000 },
  });
  queueing.apply(truth, []);
  return {
    queueing,
    readings: () => readings,
    is: (event: PbxEvent) => {
      truth = event;
    },
    happens: (...events: PbxEvent[]) => {
      for (const event of events) queueing.apply(event, []);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a doubt', () => {
  it('has the queues read again, once for many', async () => {
    const { queueing, readings, is, happens } = desk();
    const carla = member('PJSIP/320');
    is(queues({ Support: [[anna, carla], []] }));
    happens(joins('a'), rings('a', 'PJSIP/320'), rings('a', 'PJSIP/320'), leaves('b'));
    await vi.advanceTimersByTimeAsync(1);
    expect(readings()).toBe(1);
    expect(queueing.queue('Support')?.members).toEqual([anna, carla]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(readings()).toBe(1);
  });

  it('that comes again and again is followed once a second, and less often where nothing comes of it', async () => {
    const { readings, happens } = desk();
    const doubt = rings('a', 'PJSIP/999');
    for (let second = 0; second < 300; second++) {
      happens(doubt);
      await vi.advanceTimersByTimeAsync(1000);
    }
    // 1 + 2 + 4 + … seconds, then one a minute.
    expect(readings()).toBeGreaterThan(5);
    expect(readings()).toBeLessThan(15);
  });

  it('is not followed after the end', async () => {
    const { queueing, readings, happens } = desk();
    happens(rings('a', 'PJSIP/999'));
    await queueing.stop?.();
    await vi.advanceTimersByTimeAsync(5000);
    expect(readings()).toBe(0);
  });
});

describe('a look', () => {
  it('reads at the most once a second', async () => {
    const { queueing, readings } = desk();
    await Promise.all([queueing.look(), queueing.look()]);
    await queueing.look();
    expect(readings()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    await queueing.look();
    expect(readings()).toBe(2);
  });
});
