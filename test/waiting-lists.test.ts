/** However often the stream breaks and however little the server takes, clients have the waiting list in its order in the end. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callsOf } from '../src/directory/calls.ts';
import { parseDirectory } from '../src/directory/parse.ts';
import { modules } from '../src/modules/index.ts';
import { emptyPhonebook } from '../src/phonebook/model.ts';
import type { FullJid } from '../src/protocol/jid.ts';
import { createPublish } from '../src/publish.ts';
import { createQueueTold } from '../src/queue-told.ts';
import type { LeaveReason, QueueCall, QueueChange } from '../src/queues/changes.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { member } from './queues/script.ts';

const parsed = parseDirectory(
  'users:\n  - { name: anna, extension: 340, devices: [{ name: Desk, device: PJSIP/340 }] }\n',
  ['example.org'],
);
if (!parsed.ok) throw new Error('the directory does not fit');
const { directory } = parsed;
const roster = [member('PJSIP/340')];

/** What a client makes of what it hears: nothing but what the events say. */
function createList() {
  const list: string[] = [];
  /** Calls that left from another place than was said. */
  const elsewhere: string[] = [];
  return {
    list,
    elsewhere,
    see(stanza: string) {
      const id = /<uniqueId>(.*?)<\/uniqueId>/.exec(stanza)?.[1] ?? '';
      const place = Number(/<position>(\d+)/.exec(stanza)?.[1]);
      if (stanza.includes('QueueLeaveEvent') && list[place - 1] !== id) elsewhere.push(id);
      if (list.includes(id)) list.splice(list.indexOf(id), 1);
      if (stanza.includes('QueueJoinEvent')) list.splice(place - 1, 0, id);
    },
  };
}

/** A queue, a bridge that tells of it, and a line that may break. `patient`: what is under way when room runs out is taken still. */
function scene(patient = false) {
  const index = createSubscriptionIndex();
  const [anna] = directory.users;
  if (anna === undefined) throw new Error('nobody is there');
  index.set(`${anna.jid}/x` as FullJid, anna.jid, [
    { module: 'queue', type: '*', scope: 'user', filters: [] },
  ]);
  const client = createList();
  const waiting: QueueCall[] = [];
  /** Handed over since the stream was made; some of it arrives. */
  let wire: string[] = [];
  /** How many more the server takes. */
  let room = 1000;
  const publish = createPublish({
    modules,
    index,
    from: 'pbx.example.org',
    send(stanza) {
      if (room <= 0 && !patient) return false;
      room -= 1;
      wire.push(Buffer.from(stanza).toString());
      return true;
    },
    hasRoom: () => room > 0,
    onTold(change, heard) {
      if (change.kind === 'queue-join' || change.kind === 'queue-leave') queueTold.told(change, heard);
    },
  });
  const queueTold = createQueueTold(createMemoryStore());
  const world = {
    directory,
    calls: callsOf(() => directory),
    phonebook: emptyPhonebook,
    queueing: {
      ...queueTold,
      standing(queue: string) {
        const ids = queueTold.standing(queue);
        looks += ids.length;
        return ids;
      },
    },
  };
  let looks = 0;
  const base = { queue: 'Support', roster, at: 0 };
  let named = 0;

  function join(call: QueueCall, place: number): QueueChange {
    const index = Math.min(place, waiting.length);
    waiting.splice(index, 0, call);
    return { ...base, kind: 'queue-join', call, position: index + 1 };
  }
  function leave(place: number, reason: LeaveReason): readonly QueueChange[] {
    const position = (place % waiting.length) + 1;
    const [call] = waiting.splice(position - 1, 1);
    return call === undefined
      ? []
      : [{ ...base, kind: 'queue-leave', call, position, reason, member: undefined }];
  }
  const arrive = (count: number) => wire.splice(0, count).forEach(client.see);
  return {
    client,
    waiting,
    /** Calls of waiting lists that were looked at to say where others stand. */
    looks: () => looks,
    /** What is told in one go. */
    happens(
      ...what: readonly {
        readonly what: 'joins' | 'leaves' | 'moves';
        readonly at: number;
        readonly to: number;
      }[]
    ) {
      const changes = what.flatMap(({ what, at, to }) => {
        if (what === 'joins' || waiting.length === 0) {
          named += 1;
          const uniqueId = String(named);
          return [
            join(
              { channel: 'PJSIP/a-1' as QueueCall['channel'], uniqueId, number: '', name: '', since: 0 },
              at,
            ),
          ];
        }
        if (what === 'leaves') return leave(at, 'abandoned');
        const [left] = leave(at, 'moved');
        return left?.kind === 'queue-leave' ? [left, join(left.call, to)] : [];
      });
      queueTold.note(changes);
      publish(changes, world);
    },
    async confirms() {
      await publish.settle(async () => arrive(wire.length));
    },
    loses(kept: number) {
      arrive(kept);
      wire = [];
      publish.lost();
      publish.catchUp(directory);
    },
    takes(count: number) {
      room = count;
      publish.catchUp(directory);
    },
  };
}

const happening = fc.record({
  what: fc.constantFrom('joins' as const, 'joins' as const, 'leaves' as const, 'moves' as const),
  at: fc.nat(5),
  to: fc.nat(5),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(happening, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ kept: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ room: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant('confirms' as const) },
);

it('has them in order whatever is told again, and late', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { client, waiting, happens, confirms, loses, takes } = scene();
      for (const each of steps) {
        if (each === 'confirms') await confirms();
        else if ('kept' in each) loses(each.kept);
        else if ('room' in each) takes(each.room);
        else happens(...each);
      }
      takes(1000);
      await confirms();
      expect(client.list).toEqual(waiting.map(({ uniqueId }) => uniqueId));
    }),
    { numRuns: 500 },
  );
});

it('and where nothing is lost, calls leave from the places that are said', async () => {
  const late = fc.oneof(
    { weight: 3, arbitrary: fc.array(happening, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.record({ room: fc.nat(3) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(late, { maxLength: 40 }), async (steps) => {
      const { client, waiting, happens, confirms, takes } = scene(true);
      for (const each of steps) {
        if ('room' in each) takes(each.room);
        else happens(...each);
      }
      takes(1000);
      await confirms();
      expect(client.list).toEqual(waiting.map(({ uniqueId }) => uniqueId));
      expect(client.elsewhere).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

it.each([
  ['before one that waits still', [{ what: 'leaves', at: 0, to: 0 }]],
  ['behind one that waits still', []],
] as const)('also where very many came one after the other %s', async (_where, then) => {
  const { client, waiting, happens, confirms, takes } = scene(true);
  const comes = (at: number) => happens({ what: 'joins', at, to: 0 });
  for (const at of [0, 1, 2]) comes(at);
  for (let n = 0; n < 200; n++) {
    comes(1);
    happens(...then);
  }
  takes(0);
  for (let n = 0; n < 3; n++) happens({ what: 'leaves', at: 1, to: 0 });
  takes(1000);
  await confirms();
  expect(client.list).toEqual(waiting.map(({ uniqueId }) => uniqueId));
  expect(client.elsewhere).toEqual([]);
});

it('and a long list is told late without looking through it for each call', async () => {
  const { client, looks, happens, confirms, takes } = scene(true);
  const calls = 1000;
  takes(0);
  for (let at = 0; at < calls; at++) happens({ what: 'joins', at, to: 0 });
  takes(10 * calls);
  await confirms();
  expect(client.list).toHaveLength(calls);
  expect(looks()).toBeLessThan(10 * calls);
});

it('and a call that moved waits where it does, in whatever order that was told', () => {
  const told = createQueueTold(createMemoryStore());
  const call: QueueCall = {
    channel: 'PJSIP/a-1' as QueueCall['channel'],
    uniqueId: '1',
    number: '',
    name: '',
    since: 0,
  };
  const place = { call, position: 1, roster, at: 0 };
  const came = { ...place, kind: 'queue-join', queue: 'Sales' } as const;
  const left = {
    ...place,
    kind: 'queue-leave',
    queue: 'Support',
    reason: 'transferred',
    member: undefined,
  } as const;
  const first = { ...place, kind: 'queue-join', queue: 'Support' } as const;
  told.note([first]);
  told.told(first, true);
  told.note([left, came]);
  for (const change of [came, left]) told.told(change, true);
  told.ask()();
  expect(told.remembered().calls).toEqual([{ queue: 'Sales', call, sure: true }]);
});
