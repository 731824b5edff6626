/** What can happen to Redis. Afterwards it has to hold what a new bridge needs: the scene ends with one. */

import { Redis } from 'ioredis';
import { startRedis } from '../servers/redis.ts';
import { until } from '../servers/until.ts';
import { anna, type Situation, type Suffering } from './scene.ts';

async function admin(office: Suffering, act: (redis: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(office.redis.url);
  try {
    await act(client);
  } finally {
    client.disconnect();
  }
}

const isStore = ({ bridge }: Suffering, what: RegExp) =>
  until(
    `the store says ${what}`,
    () => bridge.readiness.lines.some((line) => line.startsWith('store') && what.test(line)),
    20,
  );

export const redisSituations: readonly Situation[] = [
  {
    name: 'Redis is killed (SIGKILL) and comes back without what it had',
    store: 'proven',
    async harm(office) {
      await office.redis.kill();
      await isStore(office, /down/);
      return () => office.redis.restart();
    },
  },
  {
    name: 'Redis is emptied while connected',
    store: 'proven',
    async harm(office) {
      await admin(office, (redis) => redis.flushall());
      return () =>
        until('everything is written anew', () => office.bridge.log.some(({ msg }) => /anew/.test(msg)));
    },
  },
  {
    name: 'Redis is full (maxmemory, noeviction)',
    store: 'proven',
    async harm(office) {
      await admin(office, (redis) => redis.config('SET', 'maxmemory', '1'));
      await office.comeIn(anna);
      await isStore(office, /full/);
      return () => admin(office, (redis) => redis.config('SET', 'maxmemory', '0'));
    },
  },
  {
    name: 'Redis is a read-only replica',
    store: 'proven',
    async harm(office) {
      await admin(office, (redis) => redis.replicaof('127.0.0.1', 1));
      await office.comeIn(anna);
      await isStore(office, /read-only/);
      return () => admin(office, (redis) => redis.replicaof('NO', 'ONE'));
    },
  },
  {
    name: 'Redis is slow',
    store: 'proven',
    async harm(office) {
      office.lines.redis.slow(200);
      office.lines.redis.cut();
      await isStore(office, /down/);
      office.lines.redis.mend();
      office.lines.redis.slow(200);
      return async () => office.lines.redis.mend();
    },
  },
  {
    name: 'Redis is dead at the other end of the line (half-open)',
    store: 'proven',
    async harm(office) {
      office.lines.redis.freeze();
      await isStore(office, /down/);
      return async () => office.lines.redis.mend();
    },
  },
  {
    name: 'Redis is replaced by another one with older data',
    store: 'proven',
    async harm(office) {
      const other = await startRedis({ password: new URL(office.redis.url).password });
      const client = new Redis(other.url);
      await client.hset('offhook:calls', 'PJSIP/340-ffffffff', 'of an older day');
      await client.hset('offhook:sessions', 'nobody@example.test/x', '[1,1,{},[]]');
      client.disconnect();
      office.lines.redis.lead(other.port);
      await isStore(office, /up/);
      return async () => {
        office.lines.redis.mend();
        office.lines.redis.cut();
        office.lines.redis.mend();
        await other.stop();
      };
    },
  },
];
