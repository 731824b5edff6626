/** The list of recordings is in the store, the truth beside the files: whatever becomes of the store, people find what is theirs. */
import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordId, sectionFile } from '../../src/monitor/record.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createRedisStore } from '../../src/store/redis.ts';
import type { Store } from '../../src/store/store.ts';
import { api } from '../modules/harness.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { until } from '../servers/until.ts';
import { type Folder, fileOf, finished, recording, recordingFolder, rule, wav } from './recorder.ts';

const [anna, max] = ['tweber@example.org', 'mmeyer@example.org'];
const day = 24 * 3600_000;
const now = Date.now();

let redis: RedisServer;
let admin: Redis;
let folder: Folder;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
beforeEach(async () => {
  folder = await recordingFolder();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await admin.flushall();
  await folder.remove();
});
afterAll(async () => {
  admin?.disconnect();
  await redis?.stop();
});

/** A finished recording, so many days old, as it lies in the directory; `changes` to its sidecar. */
async function kept(
  days: number,
  heard: readonly string[],
  changes: (note: Note) => unknown = (note) => note,
) {
  const at = now - days * day;
  const record = finished(at, days.toString(16), heard as readonly BareJid[]);
  await writeFile(join(folder.dir, fileOf(record)), wav(1));
  await writeFile(join(folder.dir, `${record.id}.json`), JSON.stringify(changes(record)));
  return record.id;
}
interface Note {
  readonly id: string;
  readonly at: number;
  readonly legs: readonly object[];
  readonly sections: readonly object[];
}

function redisStore(): Store {
  const { host, port } = redis;
  const log = pino({ level: 'silent' });
  return createRedisStore({
    host,
    port,
    tls: false,
    db: 0,
    prefix: 'offhook:',
    log,
    retryMs: 20,
    pingMs: 50,
  });
}

/** A bridge with this store, as far as recordings go. */
async function running(store: Store, isThere = 20_000) {
  await store.start(isThere);
  const made = api({ recordings: folder.keeping, store });
  made.at(now);
  made.allow({ recording: recording(rule()) });
  await made.models.monitor.start?.();
  const stop = async () => {
    await made.models.monitor.stop?.();
    await store.stop(1000);
  };
  ends.push(stop);
  /** Ids of the recordings that somebody finds in their list, newest first. */
  const list = async (who: string, page: Readonly<Record<string, string>> = { limit: '100' }) => {
    const answer = await made.ask(`${who}/desk`, 'monitor', xml('FindOwn', page));
    return [...answer.matchAll(/<RecordEntry id='([^']+)'/g)].map(([, id]) => id);
  };
  const find = (who: string, id: string) =>
    made.ask(`${who}/desk`, 'monitor', xml('FindRecord', { recordId: id }));
  const lists = (who: string, ids: readonly string[]) =>
    until(`${who} finds ${ids.length}`, async () => JSON.stringify(await list(who)) === JSON.stringify(ids));
  return { list, lists, find, stop };
}

describe.each([
  ['memory', () => createMemoryStore()],
  ['Redis', redisStore],
] as const)('a store in %s', (_, open) => {
  it('that has nothing gets the list from the files', async () => {
    const [old, shared, young] = [await kept(300, [anna]), await kept(9, [anna, max]), await kept(1, [max])];
    const bridge = await running(open());
    await bridge.lists(anna, [shared, old]);
    await bridge.lists(max, [young, shared]);
    expect(await bridge.find(max, shared)).toContain("state='finished'");
    expect(await bridge.find(max, old)).toContain("code='no-such-record'");
  });

  it('lists as many as are asked for, whatever came to nothing meanwhile', async () => {
    const old = [await kept(302, [anna]), await kept(301, [anna])];
    const store = open();
    const bridge = await running(store);
    await bridge.lists(anna, [...old].reverse());
    // What a directory that is not mounted leaves of each call.
    for (let days = 300; days > 0; days--) {
      const id = recordId(now - days * day, 'a'.repeat(16));
      store.ledger('records').append(anna as BareJid, { id, at: now - days * day, text: '{}' });
    }
    expect(await bridge.list(anna)).toEqual([...old].reverse());
    expect(await bridge.list(anna, { limit: '1' })).toEqual(old.slice(1));
    expect(await bridge.list(anna, { limit: '1', before: old[1] ?? '' })).toEqual(old.slice(0, 1));
    expect(await bridge.list(anna, { before: old[0] ?? '' })).toEqual([]);
  });

  it('takes in nothing that is not a sidecar of ours', async () => {
    const id = await kept(9, [anna]);
    const other = { file: sectionFile(id, 1) };
    await kept(8, [max], (note) => ({
      ...note,
      sections: note.sections.map((each) => ({ ...each, ...other })),
    }));
    await kept(7, [max], (note) => ({ ...note, id }));
    await kept(6, ['x\ny', max]);
    await kept(5, [`${max}/desk`]);
    await kept(4, [max], (note) => ({ ...note, sections: 'all' }));
    await kept(3, [max], () => '{"id":');
    await kept(2, [max], (note) => ({ ...note, legs: Array.from({ length: 50_000 }, () => 'x'.repeat(20)) }));
    await writeFile(join(folder.dir, `${recordId(now, 'f'.repeat(16))}.json`), '\u0000'.repeat(100));
    await mkdir(join(folder.dir, `${recordId(now, 'e'.repeat(16))}.json`));
    await symlink(`${id}.json`, join(folder.dir, `${recordId(now, 'd'.repeat(16))}.json`));
    const elsewhere = await recordingFolder();
    ends.push(elsewhere.remove);
    await writeFile(join(elsewhere.dir, 'x'), '{}');
    await link(join(elsewhere.dir, 'x'), join(folder.dir, `${recordId(now, 'c'.repeat(16))}.json`));
    await writeFile(join(folder.dir, sectionFile(recordId(now, 'b'.repeat(16)), 1)), wav(1));
    const fine = await kept(1, [max]);
    const bridge = await running(open());
    await bridge.lists(max, [fine]);
    await bridge.lists(anna, [id]);
    expect(await bridge.find(max, id)).toContain("code='no-such-record'");
  });
});

describe('Redis', () => {
  it('that was emptied between two runs', async () => {
    const ids = [await kept(1, [anna]), await kept(300, [anna])];
    const first = await running(redisStore());
    await first.lists(anna, ids);
    await first.stop();
    await admin.flushall();
    const second = await running(redisStore());
    await second.lists(anna, ids);
  });

  it('that is emptied while the bridge runs', async () => {
    const ids = [await kept(1, [anna]), await kept(300, [anna])];
    const bridge = await running(redisStore());
    await bridge.lists(anna, ids);
    await admin.flushall();
    expect(await admin.keys('*order*')).toEqual([]);
    await until('the list is there', async () => (await admin.keys('*order:records*')).length === 1);
    await bridge.lists(anna, ids);
  });

  it('that comes later than the bridge', async () => {
    const ids = [await kept(1, [anna])];
    const bridge = await running(redisStore(), 0);
    await until('the list is there', async () => (await admin.keys('*order:records*')).length === 1);
    await bridge.lists(anna, ids);
  });

  it('whose replica took over and lacks the end of the list', async () => {
    const ids = [await kept(1, [anna]), await kept(9, [anna])];
    const bridge = await running(redisStore());
    await bridge.lists(anna, ids);
    await admin.zrem(`offhook:order:records:${anna}`, ids[0] ?? '');
    await admin.hdel(`offhook:entries:records:${anna}`, ids[0] ?? '');
    expect(await bridge.list(anna)).toEqual(ids.slice(1));
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await bridge.lists(anna, ids);
  });
});
