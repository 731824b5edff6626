/** What an event costs with few and with a million subscriptions, and what a subscription weighs. */
import type { BareJid, FullJid } from '../src/protocol/jid.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { median } from './measure.ts';
import { report, row } from './report.ts';

const perUser = 2;
const events = 500_000;
const jid = (user: number) => `user${user}@example.org` as BareJid;

function built(count: number) {
  const index = createSubscriptionIndex();
  // The JIDs are the sessions' and the directory's, whoever subscribes: they are there before.
  const users = Array.from({ length: count / perUser }, (_, n) => jid(n));
  const sessions = users.map((user) =>
    Array.from({ length: perUser }, (_, n) => `${user}/device-${n}` as FullJid),
  );
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (const [n, user] of users.entries()) {
    for (const session of sessions[n] ?? []) {
      index.set(session, user, [{ module: 'base', type: 'ChannelEvent', scope: 'user', filters: [] }]);
    }
  }
  global.gc?.();
  return { index, users, bytes: (process.memoryUsage().heapUsed - before) / count };
}

/** Nanoseconds of CPU for an event that two sessions want, users in no order. */
function cost({ index, users }: ReturnType<typeof built>): number {
  let visited = 0;
  const before = process.cpuUsage();
  for (let n = 0, at = 0; n < events; n++, at = (at + 7919) % users.length) {
    const user = users[at];
    const event = {
      module: 'base',
      type: 'ChannelEvent',
      concerns: user === undefined ? [] : [{ jid: user }],
      values: () => [],
    };
    index.forEach(
      event,
      () => false,
      () => {
        visited += 1;
      },
    );
  }
  if (visited !== perUser * events) throw new Error(`${visited} visits`);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / events;
}

const sizes = [100, 10_000, 1_000_000];
const indexes = sizes.map(built);
const rounds = Array.from({ length: 6 }, () => indexes.map(cost)).slice(1);
const costs = sizes.map((_, n) => median(rounds.map((round) => round[n] ?? Number.NaN)));
for (const [n, size] of sizes.entries()) {
  report(
    row(
      `${size.toLocaleString('en')} subscriptions: an event with two recipients`,
      `${Math.round(costs[n] ?? 0)} ns`,
      '',
    ),
  );
}
report(
  row(
    'the index alone, 1,000,000 subscriptions to 100',
    ((costs[2] ?? 0) / (costs[0] ?? 1)).toFixed(2),
    'cache misses',
  ),
);
report(row('a subscription, of 1,000,000', `${Math.round(indexes[2]?.bytes ?? 0)} bytes`, '≤ 300'));
