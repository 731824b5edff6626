import { expect, it } from 'vitest';
import { extensionOf, repeatedCalls } from '../bench/load.ts';
import { callsOf } from '../src/directory/calls.ts';
import { createDirectory } from '../src/directory.ts';
import { emptyQueueing } from '../src/modules/define.ts';
import { modules } from '../src/modules/index.ts';
import { createFramer } from '../src/pbx/framing.ts';
import { createTranslate, translatedEvents } from '../src/pbx/translate.ts';
import { wantedEvents } from '../src/pbx/wanted.ts';
import { emptyPhonebook } from '../src/phonebook/model.ts';
import type { FullJid } from '../src/protocol/jid.ts';
import { createPublish } from '../src/publish.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { memoryInUse } from './heap.ts';
import { user } from './modules/harness.ts';

const users = 400;
const calls = 400;
/** Of 36,000 events each, as 500 a second bring in 72 s. SOAK_HOURS=8 is what a working day brings. */
const rounds = Math.max(20, Math.round((Number(process.env.SOAK_HOURS ?? 0) * 3600) / 72));

it('weighs and costs after many calls what it did after a few', { timeout: 3_600_000 }, async () => {
  const people = Array.from({ length: users }, (_, n) => user(extensionOf(n), extensionOf(n), `User ${n}`));
  const directory = createDirectory(people);
  const index = createSubscriptionIndex();
  for (const { jid } of people) {
    index.set(`${jid}/x` as FullJid, jid, [{ module: '*', type: '*', scope: 'user', filters: [] }]);
  }
  const world = {
    directory,
    calls: callsOf(() => directory),
    phonebook: emptyPhonebook,
    queueing: emptyQueueing,
  };
  let sent = 0;
  const publish = createPublish({
    modules,
    index,
    from: 'pbx.example.org',
    send: () => {
      sent += 1;
      return true;
    },
  });
  const translate = createTranslate({ now: () => 0 });
  const framer = createFramer({
    wanted: wantedEvents(translatedEvents),
    onMessage(message) {
      const event = translate(message);
      const changes = event === undefined ? [] : world.calls.apply(event);
      if (changes.length > 0) publish(changes, world);
    },
  });

  const heaps: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { bytes } = repeatedCalls({ calls, users, atOnce: 50, from: round * calls });
    const before = process.cpuUsage();
    for (let at = 0; at < bytes.length; at += 65_536) framer.push(bytes.subarray(at, at + 65_536));
    const { user: spent, system } = process.cpuUsage(before);
    costs.push(spent + system);
    await publish.settle(async () => {});
    heaps.push(await memoryInUse());
    expect(world.calls.channels()).toEqual([]);
  }
  expect(sent).toBeGreaterThan(rounds * calls * 6);
  // What is remembered of the past has its full size after a few rounds.
  const settled = heaps.slice(10, 13).reduce((sum, each) => sum + each, 0) / 3;
  const last = heaps.slice(-3).reduce((sum, each) => sum + each, 0) / 3;
  expect(last / settled).toBeLessThan(1.1);
  const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  // A factor and no time: the machine has other things to do.
  expect(middle(costs.slice(-8)) / middle(costs.slice(4, 12))).toBeLessThan(2);
});
