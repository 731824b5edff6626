/** How long a start takes with 100,000 sessions and 300,000 subscriptions in a real Redis. */
import { pino } from 'pino';
import type { FullJid } from '../src/protocol/jid.ts';
import { createSessions } from '../src/sessions.ts';
import { createRedisStore } from '../src/store/redis.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { startRedis } from '../test/servers/redis.ts';
import { median } from './measure.ts';
import { report, row } from './report.ts';

const count = 100_000;
const limits = { sessions: count, perUser: 10, subscriptions: 10 };
const redis = await startRedis();
const open = () =>
  createRedisStore({
    host: '127.0.0.1',
    port: redis.port,
    db: 0,
    tls: false,
    prefix: 'bench:',
    log: pino({ level: 'silent' }),
  });

const filling = open();
await filling.start(5000);
for (let n = 0; n < count; n++) {
  const types = ['ChannelEvent', 'PickupEvent', 'JournalEntry'];
  const subscriptions = types.map((type) => ({ module: 'base', type, scope: 'user' as const, filters: [] }));
  filling.saveSession({
    jid: `user${n}@example.org/desk` as FullJid,
    since: n,
    client: { os: 'Linux', clientVersion: '1.0' },
    subscriptions,
  });
}
await filling.stop(60_000);

const taken: number[] = [];
for (let round = 0; round < 3; round++) {
  const began = performance.now();
  const store = open();
  await store.start(5000);
  const index = createSubscriptionIndex();
  const sessions = createSessions(store, index, limits, Date.now);
  sessions.restore(await store.loadSessions());
  taken.push(performance.now() - began);
  if (sessions.size !== count || index.size !== 3 * count)
    throw new Error(`${sessions.size} sessions, ${index.size} subscriptions`);
  await store.stop(1000);
}
await redis.stop();
report(
  row('restart: 100,000 sessions, 300,000 subscriptions', `${(median(taken) / 1000).toFixed(2)} s`, '< 3 s'),
);
