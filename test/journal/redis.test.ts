import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eraseCommand, journalCommand, type WithStore } from '../../src/cli/books.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { createRedisStore } from '../../src/store/redis.ts';
import type { Store } from '../../src/store/store.ts';
import { runFolder } from '../servers/folders.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { until } from '../servers/until.ts';
import { eventsOf, jidOf, journalOn } from './office.ts';

let server: RedisServer;
let count = 0;
const opened: Store[] = [];

function open(prefix = `journal${++count}:`): Store {
  const { host, port } = server;
  const store = createRedisStore({
    host,
    port,
    tls: false,
    db: 0,
    prefix,
    log: pino({ level: 'silent' }),
    retryMs: 20,
  });
  opened.push(store);
  return store;
}

beforeAll(async () => {
  server = await startRedis();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.stop(0)));
});
afterAll(() => server?.stop());

describe('the journal in Redis', () => {
  it('loses nothing while Redis is away, and has nothing twice', async () => {
    const store = open();
    await store.start(5000);
    const office = journalOn(store);
    await office.journal.restore?.();
    office.take(eventsOf('05_'));
    await store.flush(5000);
    await server.kill();
    await until('the store noticed', () => !store.state.usable, 20);
    office.take(eventsOf('01_'));
    office.take(eventsOf('13b_'));
    await expect(office.of('340')).rejects.toThrow('Redis at');
    await server.restart();
    await store.flush(20_000);
    expect((await office.of('340')).sort()).toEqual([
      '-> 370 cancelled',
      '-> 370 hangup',
      '<- +4915112345678 hangup',
    ]);
    expect((await office.of('370')).sort()).toEqual(['<- 340 hangup', '<- 340 missed']);
    await office.journal.stop?.();
  });

  it('has a call once that ended while one bridge went and the next one came', async () => {
    const events = eventsOf('01_');
    const prefix = `journal${++count}:`;
    const first = open(prefix);
    await first.start(5000);
    const before = journalOn(first);
    await before.journal.restore?.();
    expect(before.take(events)).toBe(2);
    await before.journal.stop?.();
    await first.stop(5000);
    const second = open(prefix);
    await second.start(5000);
    const after = journalOn(second);
    await after.journal.restore?.();
    // Whatever the bridge before it had told already, the next one may hear once more.
    after.take(events);
    await second.flush(5000);
    expect(await after.of('340')).toEqual(['-> 370 hangup']);
    expect(await after.of('370')).toEqual(['<- 340 hangup']);
    await after.journal.stop?.();
  });

  it('enters a call in whose middle the bridge was started, from its beginning', async () => {
    const events = eventsOf('26_');
    const store = open();
    await store.start(5000);
    const office = journalOn(store);
    office.take(events);
    expect(await office.of('370')).toEqual(['<- 340 hangup']);
    const [entry] = await office.journal.find(jidOf('370'), { limit: 1 });
    expect(entry?.timestamp).toBeLessThan(events[0]?.at ?? 0);
  });
});

describe('what an operator can do with the books', () => {
  async function prepared(prefix: string) {
    const store = open(prefix);
    await store.start(5000);
    const office = journalOn(store);
    office.take(eventsOf('01_'));
    office.take(eventsOf('24_'));
    store.ledger('missed').append(jidOf('340'), { id: 'a', at: Date.now(), text: '{}' });
    const queue = parseJid('support@queue.invalid')?.bare ?? expect.fail('no JID');
    const text = JSON.stringify({
      caller: jidOf('370'),
      number: '370',
      settler: jidOf('340'),
      settledBy: '340',
    });
    store.ledger('missed').append(queue, { id: 'b', at: Date.now(), text });
    await store.flush(5000);
    return { store, office };
  }

  const connected =
    (store: Store): WithStore =>
    (use) =>
      use(store);

  it('export journals as CSV that no spreadsheet takes for a formula, and as JSON', async () => {
    const { store, office } = await prepared(`journal${++count}:`);
    const lines: string[] = [];
    await journalCommand(['export'], connected(store), (line) => lines.push(line));
    expect(lines[0]).toBe(
      'user,id,time,direction,internal,name,prefix,number,result,details,duration,connected,via,viaDetails,extension,device,deviceName,location,recordId',
    );
    const all = (await office.of('340')).length + (await office.of('370')).length;
    expect(lines).toHaveLength(1 + all);
    expect(lines.join('\n')).toContain('""Mo');
    expect(lines.join('\n')).toContain(',+4915112345678,');
    const json: string[] = [];
    await journalCommand(['export', '--format', 'json', jidOf('370')], connected(store), (line) =>
      json.push(line),
    );
    const rows = JSON.parse(json.join('\n')) as { user: string; direction: string; number: string }[];
    expect(rows.map(({ user, direction, number }) => [user, direction, number])).toEqual([
      [jidOf('370'), 'in', '340'],
      [jidOf('370'), 'in', '340'],
    ]);
    const none: string[] = [];
    await journalCommand(['export', '--format', 'json', 'nobody@example.org'], connected(store), (line) =>
      none.push(line),
    );
    expect(JSON.parse(none.join('\n'))).toEqual([]);
  });

  it('erase all that is kept of a user, by the program itself', async () => {
    const prefix = `journal${++count}:`;
    const { office, store } = await prepared(prefix);
    const folder = await runFolder('erase');
    try {
      const { PATH = '' } = process.env;
      const run = async (...args: string[]) => {
        const main = join(fileURLToPath(new URL('../..', import.meta.url)), 'src/main.ts');
        const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], {
          cwd: folder.path,
          env: {
            PATH,
            STORE: 'redis',
            REDIS_URL: server.url,
            REDIS_PREFIX: prefix,
            XMPP_COMPONENT: 'pbx.example.test',
            XMPP_SECRET: 'component-secret-1234',
            AMI_USERNAME: 'offhook',
            AMI_SECRET: 'ami-secret-1234',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        let text = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (part) => (text += part));
        const [code] = await once(child, 'close');
        return { code, text };
      };
      const before = (await office.of('340')).length;
      expect(await run('erase', jidOf('340'))).toEqual({
        code: 0,
        text: `journal: ${before} entries of ${jidOf('340')} erased\nmissed: 1 entry of ${jidOf('340')} erased\nrecords: 0 entries of ${jidOf('340')} erased\nmissed: ${jidOf('340')} taken out of 1 call of queues\n`,
      });
      expect(await office.of('340')).toEqual([]);
      expect(await office.of('370')).not.toEqual([]);
      const queue = parseJid('support@queue.invalid')?.bare ?? expect.fail('no JID');
      expect((await store.ledger('missed').get(queue, 'b'))?.text).toBe(
        JSON.stringify({ caller: jidOf('370'), number: '370', settler: '', settledBy: '' }),
      );
      expect(await run('erase', 'weber')).toMatchObject({
        code: 64,
        text: expect.stringContaining('is not a JID'),
      });
      expect((await run('journal', 'export', '--format', 'json')).text).toContain(jidOf('370'));
    } finally {
      await folder.remove();
    }
  });

  it('is told how to use the commands', async () => {
    const never: WithStore = () => Promise.reject(new Error('not to be asked'));
    await expect(
      eraseCommand(
        [],
        never,
        () => undefined,
        () => {},
      ),
    ).rejects.toThrow('offhook erase JID');
    await expect(journalCommand(['export', '--format', 'xml'], never, () => {})).rejects.toThrow('csv|json');
    await expect(journalCommand([], never, () => {})).rejects.toThrow('offhook journal export');
  });
});
