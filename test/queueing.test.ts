import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDirectory } from '../src/directory.ts';
import type { PbxEvent } from '../src/pbx/events.ts';
import { createNumbers } from '../src/phonebook/numbers.ts';
import { maxWaits } from '../src/queue-told.ts';
import { createQueueing } from '../src/queueing.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import type { Store } from '../src/store/store.ts';
import {
  abandons,
  channel,
  ends,
  joins,
  leaves,
  line,
  member,
  queues,
  rings,
  snapshot,
} from './queues/script.ts';

const anna = member('PJSIP/340');

/** Queues at work over a telephone system that tells what it is told to. */
function desk(store: Store = createMemoryStore()) {
  const directory = createDirectory([]);
  let [readings, rereads] = [0, 0];
  let truth: PbxEvent = queues({ Support: [[anna], []] });
  const queueing = createQueueing({
    pbx: {
      tellQueues: async () => {
        readings += 1;
        queueing.apply(truth, []);
      },
      queueCounters: async () => undefined,
      reread: () => {
        rereads += 1;
      },
    },
    log: pino({ level: 'silent' }),
    now: Date.now,
    store,
    directory: () => directory,
    numbers: createNumbers('DE', '0'),
    keep: { count: 10, ageMs: 1000 },
  });
  /** What it tells, in a few words; nobody knows whether it arrives. */
  const says = (...events: PbxEvent[]) =>
    events.flatMap((event) => {
      const changes = queueing.apply(event, []);
      for (const change of changes) queueing.told?.(change, true);
      return changes.flatMap((change) => ('roster' in change ? [line(change)] : []));
    });
  return {
    queueing,
    readings: () => readings,
    rereads: () => rereads,
    opens: () => queueing.apply(truth, []),
    /** The same, and it arrives. */
    tells(...events: PbxEvent[]) {
      const lines = says(...events);
      queueing.ask?.()();
      return lines;
    },
    says,
    is: (event: PbxEvent) => {
      truth = event;
    },
    happens: (...events: PbxEvent[]) => {
      for (const event of events) queueing.apply(event, []);
    },
  };
}

/** One that knows its queues. */
function open() {
  const made = desk();
  made.opens();
  return made;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a doubt', () => {
  it('has the queues read again, once for many', async () => {
    const { queueing, readings, is, happens } = open();
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
    const { readings, happens } = open();
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
    const { queueing, readings, happens } = open();
    happens(rings('a', 'PJSIP/999'));
    await queueing.stop?.();
    await vi.advanceTimersByTimeAsync(5000);
    expect(readings()).toBe(0);
  });
});

describe('a look', () => {
  it('reads at the most once a second', async () => {
    const { queueing, readings } = open();
    await Promise.all([queueing.look(), queueing.look()]);
    await queueing.look();
    expect(readings()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    await queueing.look();
    expect(readings()).toBe(2);
  });
});

describe('after a restart', () => {
  const both = [snapshot([channel('a'), channel('b')]), queues({ Support: [[anna], ['a', 'b']] })] as const;

  /** A bridge that has told of Anna and of two callers, the second of whom was let in ahead of the first. */
  async function after(store = createMemoryStore()) {
    const before = desk(store);
    await before.queueing.restore?.();
    before.tells(queues({ Support: [[anna], []] }), joins('b'), joins('a', { position: 1, count: 2 }));
    const next = desk(store);
    expect(await next.queueing.restore?.()).toEqual(['queue Support call a', 'queue Support call b']);
    return next;
  }

  it('nothing is told of what is as it was, also the order of who waits', async () => {
    const { tells, rereads } = await after();
    expect(tells(...both)).toEqual([]);
    expect(rereads()).toBe(0);
  });

  it('what differs is told: who went, who came, who takes a break, and why a call waits no longer', async () => {
    const { tells } = await after();
    const paused = member('PJSIP/320', { paused: true, pausedReason: 'Lunch' });
    const differs = [
      snapshot([channel('b'), channel('c')]),
      queues({ Support: [[paused], ['b', 'c']] }),
    ] as const;
    expect(tells(...differs)).toEqual([
      'logout Support PJSIP/340',
      'leave Support a at 1 abandoned',
      'login Support PJSIP/320',
      'join Support c at 2',
    ]);
  });

  it('and by the one after it, nothing once more', async () => {
    const store = createMemoryStore();
    const { tells } = await after(store);
    tells(snapshot([channel('b')]), queues({ Support: [[], ['b']] }));
    const last = desk(store);
    await last.queueing.restore?.();
    expect(last.tells(snapshot([channel('b')]), queues({ Support: [[], ['b']] }))).toEqual([]);
  });

  it('a store that comes late has the state read again, where it says more than is known', async () => {
    const store = createMemoryStore();
    const late = desk(store);
    late.tells(...both);
    await late.queueing.restore?.();
    expect(late.rereads()).toBe(0);

    const other = createMemoryStore();
    desk(other).tells(queues({ Support: [[anna], []] }), joins('b'));
    const later = desk(other);
    later.tells(snapshot(), queues({ Support: [[anna], []] }));
    await later.queueing.restore?.();
    expect(later.rereads()).toBe(1);
    expect(later.tells(snapshot(), queues({ Support: [[anna], []] }))).toEqual([
      'leave Support b at 1 abandoned',
    ]);
  });

  it('a store that comes late does not have a call wait twice that is known and could not be told yet', async () => {
    const store = createMemoryStore();
    desk(store).tells(queues({ Support: [[], []] }), joins('a'), joins('b', { position: 2, count: 2 }));
    const { queueing, happens } = desk(store);
    happens(queues({ Support: [[], ['a', 'b']] }));
    await queueing.restore?.();
    expect(queueing.standing('Support')).toEqual(['a', 'b']);
  });

  it('a store that is lost in the middle of being read has what was read of it taken in with the rest', async () => {
    const store = createMemoryStore();
    desk(store).tells(queues({ Support: [[anna], []] }), joins('b'));
    let asked = 0;
    const next = desk({
      ...store,
      async loadFacts() {
        asked += 1;
        if (asked === 2) throw new Error('away');
        return store.loadFacts();
      },
    });
    await expect(next.queueing.restore?.()).rejects.toThrow('away');
    expect(await next.queueing.restore?.()).toEqual(['queue Support call b']);
    expect(next.tells(snapshot(), queues({ Support: [[], []] }))).toEqual([
      'logout Support PJSIP/340',
      'leave Support b at 1 abandoned',
    ]);
  });

  it('what was not told any more is told, and what was not confirmed once more, where it would have been by then', async () => {
    const store = createMemoryStore();
    const before = desk(store);
    before.tells(queues({ Support: [[anna], []] }), joins('a'), joins('b', { position: 2, count: 2 }));
    // The XMPP server is away.
    before.happens(
      abandons('a'),
      leaves('a', { count: 1 }),
      ends('a'),
      joins('z', { position: 2, count: 2 }),
    );
    const carla = member('PJSIP/320');
    // What is told to nobody cannot be lost; what is told to somebody may be.
    for (const [heard, event] of [
      [false, { type: 'queue-member-added', member: carla, at: 1000 }],
      [true, { type: 'queue-member-removed', member: anna, at: 1000 }],
      [true, joins('c', { position: 3, count: 3 })],
    ] as const)
      for (const change of before.queueing.apply(event, [])) before.queueing.told?.(change, heard);
    const next = desk(store);
    await next.queueing.restore?.();
    const truth = [
      snapshot(['b', 'z', 'd', 'c'].map((each) => channel(each))),
      queues({
        Support: [
          [anna, carla],
          ['b', 'z', 'd', 'c'],
        ],
      }),
    ] as const;
    const said = [
      'leave Support a at 1 abandoned',
      'leave Support c at 2 moved',
      'login Support PJSIP/340',
      'join Support z at 2',
      'join Support d at 3',
      'join Support c at 4',
    ];
    expect(next.says(...truth)).toEqual(said);
    expect(next.says(...truth)).toEqual([]);
    const last = desk(store);
    await last.queueing.restore?.();
    expect(last.tells(snapshot(), queues({ Support: [[anna, carla], []] }))).toEqual([
      'leave Support a at 1 abandoned',
      ...['b', 'z', 'd', 'c'].map((each) => `leave Support ${each} at 1 abandoned`),
      'login Support PJSIP/340',
    ]);
    expect([...(await store.loadFacts()).keys()].sort()).toEqual([
      'member Support PJSIP/320',
      'member Support PJSIP/340',
    ]);
  });

  it('what is beyond the bound is told once more', async () => {
    const store = createMemoryStore();
    const many = Array.from({ length: maxWaits + 3 }, (_, n) => `c${n}`);
    const full = [snapshot(many.map((each) => channel(each))), queues({ Support: [[], many] })] as const;
    expect(desk(store).tells(...full)).toHaveLength(maxWaits + 3);
    const next = desk(store);
    await next.queueing.restore?.();
    expect(next.tells(...full)).toEqual(
      many.slice(maxWaits).map((each, n) => `join Support ${each} at ${maxWaits + 1 + n}`),
    );
  });
});
