import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createRedisStore, type RedisStoreOptions } from '../src/store/redis.ts';
import type { Ledger, Store, StoreState } from '../src/store/store.ts';
import { describeStore, session, sorted, watch } from './contract/store.ts';
import { type RedisServer, startRedis } from './servers/redis.ts';
import { openRelay } from './servers/relay.ts';
import { until } from './servers/until.ts';

const lines: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });

let plain: RedisServer;
let admin: Redis;
let count = 0;
const opened: Store[] = [];

/** A store of its own prefix unless told otherwise. */
function open(server: RedisServer, more: Partial<RedisStoreOptions> = {}): Store {
  count += 1;
  const { host, port } = server;
  const store = createRedisStore({
    host,
    port,
    tls: false,
    db: 0,
    prefix: `test${count}:`,
    log,
    retryMs: 20,
    ...more,
  });
  opened.push(store);
  return store;
}

/** Starts a store that must not get in, and resolves with the reason it gives. */
async function refusal(store: Store, pattern: RegExp): Promise<string> {
  await store.start(0);
  await until(`a reason like ${pattern}`, () => pattern.test(store.state.reason), 20);
  expect(store.state.usable).toBe(false);
  return store.state.reason;
}

beforeAll(async () => {
  plain = await startRedis();
  admin = new Redis(plain.url);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.stop(0)));
});
afterAll(async () => {
  admin?.disconnect();
  await plain?.stop();
});

describeStore('Redis', () => open(plain));

test('Redis that takes longer than a start waits is told of when it is there', async () => {
  const relay = await openRelay(plain.port);
  onTestFinished(() => relay.stop());
  relay.cut();
  const store = open({ ...plain, port: relay.port });
  const told: boolean[] = [];
  store.onState(({ usable }) => told.push(usable));
  await store.start(0);
  relay.mend();
  await until('it is told', () => told.at(-1) === true, 20);
  expect(told[0]).toBe(false);
});

describe('Redis keeps', () => {
  test('audit entries, the newest about as many as were asked for, and none unasked', async () => {
    const silent = open(plain, { prefix: 'silent:' });
    const store = open(plain, { prefix: 'trail:', auditLength: 100 });
    await Promise.all([silent.start(5000), store.start(5000)]);
    for (let number = 0; number < 500; number++) {
      silent.audit({ number });
      store.audit({ number });
    }
    const newest = () => admin.xrevrange('trail:audit', '+', '-', 'COUNT', 1);
    await until('the last one is there', async () => (await newest())[0]?.[1][1] === '{"number":499}');
    // Redis cuts whole nodes of some hundred entries (XADD, MAXLEN ~).
    expect(await admin.xlen('trail:audit')).toBeLessThan(300);
    expect(await admin.exists('silent:audit')).toBe(0);
  });

  test('what a bridge saved for the bridge after it', async () => {
    const kept = [session('tweber', 'desk'), session('mmeyer', 'desk')];
    const first = open(plain, { prefix: 'restart:' });
    await first.start(5000);
    for (const one of kept) first.saveSession(one);
    await first.stop(5000);
    const second = open(plain, { prefix: 'restart:' });
    await second.start(5000);
    expect(sorted(await second.loadSessions())).toEqual(sorted(kept));
  });

  test('books within their bounds, also of those who get nothing new any more', async () => {
    const first = open(plain, { prefix: 'books:' });
    const kept = first.ledger('journal', { count: 1000, ageMs: 3_600_000 });
    await first.start(5000);
    const owners = Array.from({ length: 300 }, (_, number) => watch('x', `user${number}`).watcher);
    for (const owner of owners)
      for (const ago of [0, 60_000, 120_000])
        kept.append(owner, { id: `${ago}`, at: Date.now() - ago, text: '1' });
    await first.stop(5000);
    expect(await admin.scard('books:owners:journal')).toBe(300);
    expect((await admin.keys('books:*')).length).toBe(602);
    const second = open(plain, { prefix: 'books:' });
    const journal = second.ledger('journal', { count: 2, ageMs: 3_600_000 });
    await second.start(5000);
    const counts = () => Promise.all(owners.map((owner) => admin.hlen(`books:entries:journal:${owner}`)));
    await until('all are swept', async () => (await counts()).every((count) => count === 2), 20);
    await Promise.all(owners.map((owner) => journal.erase(owner)));
    expect(await admin.keys('books:*')).toEqual(['books:mark']);
  });

  test('books within bounds that were made narrower, in steps for which nobody waits long', async () => {
    const { watcher: owner } = watch('x', 'collector');
    const keyOf = (kind: string) => `narrow:${kind}:journal:${owner}`;
    const ids = Array.from({ length: 3500 }, (_, n) => n);
    const at = Date.now() - 10_000;
    await admin.hset(keyOf('entries'), Object.fromEntries(ids.map((id) => [id, '1'])));
    await admin.zadd(keyOf('order'), ...ids.flatMap((id) => [at + id, id]));
    await admin.sadd('narrow:owners:journal', owner);
    const steps = async () =>
      Number(/cmdstat_eval:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
    const before = await steps();
    const store = open(plain, { prefix: 'narrow:' });
    const journal = store.ledger('journal', { count: 2, ageMs: 3_600_000 });
    await store.start(5000);
    await until('it is swept', async () => (await admin.hlen(keyOf('entries'))) === 2, 20);
    expect((await journal.read(owner, { limit: 10 })).map(({ id }) => id)).toEqual(['3499', '3498']);
    // A thousand at a time, and once more to see that there is no more to do.
    expect((await steps()) - before).toBeGreaterThanOrEqual(4);
  });

  test('prefixes apart, and touches no key outside its own', async () => {
    await admin.set('foreign', 'untouched');
    const [one, other] = [open(plain, { prefix: 'one:' }), open(plain, { prefix: 'other:' })];
    await Promise.all([one.start(5000), other.start(5000)]);
    one.saveSession(session('tweber', 'desk'));
    await one.flush(5000);
    expect(await other.loadSessions()).toEqual([]);
    expect((await admin.keys('one:*')).sort()).toEqual(['one:mark', 'one:sessions']);
    expect(await admin.get('foreign')).toBe('untouched');
  });

  test('values that it cannot read, skipping them with one log line', async () => {
    const store = open(plain, { prefix: 'strange:' });
    await store.start(5000);
    const good = session('tweber', 'desk');
    store.saveSession(good);
    await store.flush(5000);
    const strange = {
      'a@example.org/newer': '[2,{"everything":"new"}]',
      'b@example.org/garbled': '\u0000[1,',
      'c@example.org/shape': '[1,1,{},[["base","*","everybody",[]]]]',
      'no jid': '[1,1,{},[]]',
    };
    await admin.hset('strange:sessions', strange);
    lines.length = 0;
    expect(await store.loadSessions()).toEqual([good]);
    expect(lines.filter((line) => line.includes('skipped'))).toHaveLength(1);
    expect(await admin.hlen('strange:sessions')).toBe(5);
  });

  test('a hundred thousand sessions', async () => {
    const store = open(plain, { prefix: 'many:' });
    await store.start(5000);
    const { subscriptions } = session('x', 'x');
    for (let number = 0; number < 100_000; number++)
      store.saveSession(session(`user${number}`, 'desk', { subscriptions }));
    await store.flush(50_000);
    expect(await admin.hlen('many:sessions')).toBe(100_000);
    expect(await store.loadSessions()).toHaveLength(100_000);
    await admin.del('many:sessions');
  });
});

describe('Redis away', () => {
  const weber = watch('x', 'tweber').watcher;
  const entry = (id: string, at = Date.now()) => ({ id, at, text: `"${id}"` });
  const ids = async (journal: Ledger) =>
    (await journal.read(weber, { limit: 1000 })).map(({ id }) => id).join(' ');

  test('for a while: entries wait, reading says why it cannot, and all of them are there afterwards, once', async () => {
    const server = await startRedis();
    try {
      const store = open(server);
      const journal = store.ledger('journal', { count: 100, ageMs: 60_000 });
      await store.start(5000);
      journal.append(weber, entry('a'));
      await store.flush(5000);
      // In order, so that its data is on its disk, and then for some time.
      await server.restart();
      await server.kill();
      await until('the store noticed', () => !store.state.usable, 20);
      journal.append(weber, entry('b'));
      journal.append(weber, entry('b'));
      journal.replace(weber, 'a', '"changed"');
      journal.append(weber, entry('c'));
      journal.replace(weber, 'c', '"changed"');
      expect(store.state.pending).toBe(3);
      await expect(journal.read(weber, { limit: 10 })).rejects.toThrow('Redis at');
      await expect(journal.owners()).rejects.toThrow('Redis at');
      await expect(journal.erase(weber)).rejects.toThrow('Redis at');
      await server.restart();
      await store.flush(20_000);
      expect(await ids(journal)).toBe('c b a');
      expect((await journal.get(weber, 'a'))?.text).toBe('"changed"');
      expect((await journal.get(weber, 'c'))?.text).toBe('"changed"');
    } finally {
      await server.stop();
    }
  });

  test('for good: entries that it said to have, but had not saved, are written again', async () => {
    const server = await startRedis();
    try {
      const store = open(server);
      const journal = store.ledger('journal', { count: 100, ageMs: 60_000 });
      await store.start(5000);
      /** A kill loses all that this Redis has not saved to its disk. */
      async function lose(): Promise<void> {
        await server.kill();
        await until('the store noticed', () => !store.state.usable, 20);
        await server.restart();
        await until('the store is back', () => store.state.usable && store.state.pending === 0, 20);
      }
      for (const id of ['a', 'b', 'c']) journal.append(weber, entry(id));
      await store.flush(5000);
      await lose();
      expect(await ids(journal)).toBe('c b a');
      await journal.erase(weber);
      await lose();
      expect(await ids(journal)).toBe('');
    } finally {
      await server.stop();
    }
  });

  test('for long: entries are bounded, the oldest given up, and that is told', async () => {
    const server = await startRedis();
    try {
      const store = open(server, { maxEntries: 10 });
      const journal = store.ledger('journal', { count: 100, ageMs: 60_000 });
      await store.start(5000);
      await server.kill();
      await until('the store noticed', () => !store.state.usable, 20);
      for (let number = 0; number < 100; number++) journal.append(weber, entry(`${number}`));
      expect(store.state.pending).toBe(10);
      lines.length = 0;
      await server.restart();
      await store.flush(20_000);
      expect(lines.some((line) => line.includes('"entries":90') && line.includes('were lost'))).toBe(true);
      expect((await ids(journal)).split(' ')).toHaveLength(10);
    } finally {
      await server.stop();
    }
  });

  test('from the start: start gives up waiting, writes are kept and written when it comes', async () => {
    const server = await startRedis();
    try {
      await server.kill();
      const store = open(server);
      await refusal(store, /ECONNREFUSED/);
      await expect(store.loadSessions()).rejects.toThrow('nobody listens there');
      store.saveSession(session('tweber', 'desk'));
      await expect(store.flush(30)).rejects.toThrow('1 writes are not durable after 30 ms');
      await server.restart();
      await store.flush(20_000);
      expect(store.state).toEqual({ usable: true, pending: 0, reason: '' });
      expect(await store.loadSessions()).toEqual([session('tweber', 'desk')]);
    } finally {
      await server.stop();
    }
  });

  test('in between: the state is told, the latest state of each session is written afterwards', async () => {
    const server = await startRedis();
    const told: StoreState[] = [];
    try {
      const store = open(server, { prefix: 'between:' });
      await store.start(5000);
      store.onState((state) => told.push(state));
      const [kept, ended] = [session('tweber', 'desk'), session('mmeyer', 'desk')];
      store.saveSession(ended);
      await store.flush(5000);
      await server.restart();
      await until('the store is back', () => told.length >= 2 && store.state.usable, 20);
      await server.kill();
      await until('the store noticed', () => !store.state.usable, 20);
      for (let number = 0; number < 50; number++) store.saveSession({ ...kept, since: number });
      store.deleteSession(ended.jid);
      expect(store.state.pending).toBe(2);
      await server.restart();
      await store.flush(20_000);
      expect(await store.loadSessions()).toEqual([{ ...kept, since: 49 }]);
      // The reason may change while Redis is away ("cut", then "nobody listens"): each is told.
      const turns = told.filter(({ usable }, at) => usable !== told[at - 1]?.usable);
      expect(turns.map(({ usable }) => usable)).toEqual([false, true, false, true]);
      for (const { usable, reason } of told) expect(reason === '').toBe(usable);
    } finally {
      await server.stop();
    }
  });

  test('for long: sessions to forget are bounded, the oldest given up, and that is told', async () => {
    const server = await startRedis();
    try {
      const store = open(server, { maxDeletes: 10 });
      await store.start(5000);
      await server.kill();
      await until('the store noticed', () => !store.state.usable, 20);
      for (let number = 0; number < 100; number++) {
        const one = session(`user${number}`, 'desk');
        store.saveSession(one);
        store.deleteSession(one.jid);
      }
      expect(store.state.pending).toBe(10);
      lines.length = 0;
      await server.restart();
      await store.flush(20_000);
      expect(
        lines.some((line) => line.includes('"entries":90') && line.includes('could not be forgotten')),
      ).toBe(true);
    } finally {
      await server.stop();
    }
  });

  test('for long: calls that begin and end meanwhile leave nothing to be forgotten', async () => {
    const server = await startRedis();
    try {
      const store = open(server, { maxDeletes: 10 });
      await store.start(5000);
      store.saveCall('PJSIP/340-00000001', 'talks', true);
      await store.flush(5000);
      await server.kill();
      await until('the store noticed', () => !store.state.usable, 20);
      const ended = session('tweber', 'desk');
      store.deleteSession(ended.jid);
      for (let number = 0; number < 100; number++) {
        store.saveCall(`PJSIP/370-${number}`, 'rings', true);
        store.saveCall(`PJSIP/370-${number}`, 'talks', false);
        store.deleteCall(`PJSIP/370-${number}`);
      }
      store.deleteCall('PJSIP/340-00000001');
      expect(store.state.pending).toBe(2);
      await server.restart();
      await store.flush(20_000);
      expect(await store.loadCalls()).toEqual(new Map());
    } finally {
      await server.stop();
    }
  });

  test('at the end: stop waits no longer than its grace, and says what was lost', async () => {
    const server = await startRedis();
    try {
      const store = open(server);
      await store.start(5000);
      await server.kill();
      store.saveSession(session('tweber', 'desk'));
      lines.length = 0;
      await store.stop(50);
      expect(lines.some((line) => line.includes('stopped with writes that Redis does not have'))).toBe(true);
      expect(store.state.usable).toBe(false);
    } finally {
      await server.stop();
    }
  });
});

describe('Redis is another than before', () => {
  test.each([
    ['it was emptied', (redis: Redis) => redis.flushall()],
    ['one with older data is in its place', (redis: Redis) => redis.hset('older:mark', 'bridge', 'another')],
  ])('%s: is noticed while connected, and told, so that everything is written anew', async (_, replace) => {
    const server = await startRedis();
    const direct = new Redis(server.url);
    try {
      const store = open(server, { prefix: 'older:', pingMs: 50 });
      const reasons: string[] = [];
      await store.start(5000);
      await until('its mark is there', async () => (await direct.hlen('older:mark')) === 1);
      store.onState(({ reason }) => reasons.push(reason));
      await replace(direct);
      await until('the store is back', () => reasons.length >= 2 && store.state.usable);
      expect(reasons).toEqual([expect.stringContaining('written anew'), '']);
    } finally {
      direct.disconnect();
      await server.stop();
    }
  });
});

describe('Redis refuses', () => {
  afterEach(async () => {
    await admin.config('SET', 'maxmemory', '0');
    await admin.replicaof('NO', 'ONE');
  });

  test('writes while it is full: told in words, deletes pass, saves follow when there is room', async () => {
    const store = open(plain);
    await store.start(5000);
    const ended = session('mmeyer', 'desk');
    store.saveSession(ended);
    await store.flush(5000);
    await admin.config('SET', 'maxmemory', '1');
    store.saveSession(session('tweber', 'desk'));
    store.deleteSession(ended.jid);
    const { watcher } = watch('x', 'tweber');
    store.ledger('journal').append(watcher, { id: 'a', at: 1, text: '1' });
    await until('the store noticed', () => store.state.reason.includes('Redis is full'), 10);
    expect(store.state).toMatchObject({ usable: false, pending: 2 });
    expect(await store.loadSessions()).toEqual([session('tweber', 'desk')]);
    await admin.config('SET', 'maxmemory', '0');
    await store.flush(10_000);
    expect(store.state).toEqual({ usable: true, pending: 0, reason: '' });
    expect(await store.ledger('journal').read(watcher, { limit: 9 })).toHaveLength(1);
  });

  test('writes on a read-only replica: told in words, written when it is the primary', async () => {
    const store = open(plain);
    await store.start(5000);
    await admin.replicaof('127.0.0.1', '1');
    store.saveSession(session('tweber', 'desk'));
    await until('the store noticed', () => store.state.reason.includes('read-only replica'), 10);
    await admin.replicaof('NO', 'ONE');
    await store.flush(10_000);
    expect(await store.loadSessions()).toEqual([session('tweber', 'desk')]);
  });

  test('a key of another type', async () => {
    await admin.set('taken:sessions', 'x');
    await refusal(open(plain, { prefix: 'taken:' }), /choose another prefix/);
  });

  test('a database that it does not have, and takes one that it has', async () => {
    await refusal(open(plain, { db: 999 }), /no such database/);
    const right = open(plain, { db: 3 });
    await right.start(5000);
    expect(right.state.usable).toBe(true);
  });

  test('nothing where it asks for no password though one is configured; a line warns', async () => {
    lines.length = 0;
    const store = open(plain, { password: 'needless' });
    await store.start(5000);
    expect(store.state.usable).toBe(true);
    expect(lines.some((line) => line.includes('Redis asks for no password'))).toBe(true);
  });
});

describe('Redis at the end of a slow line', () => {
  test('is not told late what a later connection has overtaken', async () => {
    const relay = await openRelay(plain.port);
    try {
      relay.slow(4000);
      const store = open(plain, { port: relay.port, prefix: 'late:', timeoutMs: 1000 });
      await store.start(5000);
      expect(store.state.usable).toBe(true);
      // Takes some seconds: it is given up before.
      store.saveCall('PJSIP/340-1', 'x'.repeat(20_000), true);
      await until('the line is given up', () => !store.state.usable);
      relay.mend();
      store.deleteCall('PJSIP/340-1');
      store.saveCall('PJSIP/340-2', 'y', true);
      await store.flush(10_000);
      await until('the slow connection has ended', () => relay.size === 1);
      expect(await admin.hkeys('late:calls')).toEqual(['PJSIP/340-2']);
    } finally {
      await relay.stop();
    }
  });
});

describe('Redis with a user of few rights', () => {
  const login = { username: 'offhook', password: 'secret' };
  beforeAll(async () => {
    const manual = readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8');
    const [, rule = ''] = /^ACL SETUSER offhook on >… ~offhook:\* (.+)$/m.exec(manual) ?? [];
    await admin.call('ACL', 'SETUSER', 'offhook', 'on', '>secret', '~test*', ...rule.split(' '));
  });

  describeStore('Redis with the rights that the manual gives', () => open(plain, login));
});

describe('Redis with a password', () => {
  const password = 'p&ss word:ü';
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ password });
  });
  afterAll(() => server?.stop());

  describeStore('Redis with a password', () => open(server, { password }));

  test('says what to do without it, or with a wrong one, and quotes neither', async () => {
    lines.length = 0;
    await refusal(open(server), /wants a password: set REDIS_PASSWORD/);
    await refusal(open(server, { password: 'not-the-one' }), /refuses the password: check REDIS_PASSWORD/);
    expect(lines.join()).not.toContain('not-the-one');
  });
});

describe('Redis with TLS', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ tls: true, password: 'secret over TLS' });
  });
  afterAll(() => server?.stop());

  describeStore('Redis with TLS', () =>
    open(server, { tls: true, ca: server.ca, password: 'secret over TLS' }),
  );

  test('is refused without its authority, and told how to trust it', async () => {
    await refusal(open(server, { tls: true }), /set REDIS_TLS_CA/);
  });

  test('does not match a plain URL, nor a plain server a rediss:// one', async () => {
    await refusal(open(server), /want TLS|closed/);
    // A plain Redis takes the TLS greeting for the beginning of a long command, and waits for its end.
    await refusal(open(plain, { tls: true, timeoutMs: 300 }), /does the port speak TLS/);
  });
});
