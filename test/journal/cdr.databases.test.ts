/** Call records in a database: as a real Asterisk writes them into a real PostgreSQL, and as others have them. */
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open.ts';
import { type CdrSource, entriesOf } from '../../src/journal/cdr.ts';
import { createCdrDatabase } from '../../src/journal/cdr-database.ts';
import { createCompletion } from '../../src/journal/completion.ts';
import type { JournalChange } from '../../src/journal/entry.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createZone } from '../../src/zone.ts';
import { runFolder } from '../servers/folders.ts';
import { type AsteriskServer, startAsterisk, startPhone, until } from '../servers/index.ts';
import { startMariadb } from '../servers/mariadb.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { openRelay, type Relay } from '../servers/relay.ts';
import { runSqlite, sqliteProgram } from '../servers/sqlite.ts';
import { directory } from './office.ts';

const names = { directory, nameOf: () => undefined, outsidePrefix: '0' };
const noon = Date.UTC(2026, 10, 26, 12, 0, 0);
const minute = 60_000;

let postgres: PostgresServer;
let relay: Relay;
let admin: Client;
beforeAll(async () => {
  postgres = await startPostgres();
  relay = await openRelay(Number(new URL(postgres.url).port));
  admin = new Client(postgres.url);
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await relay?.stop();
  await postgres?.stop();
});
beforeEach(() => admin.query('CREATE SCHEMA pbx; SET search_path = pbx'));
afterEach(() => admin.query('DROP SCHEMA pbx CASCADE'));

/** The records by way of the relay. */
function source(options: { table?: string; zone?: string; user?: string; most?: number } = {}): CdrSource {
  const url = new URL(postgres.url);
  url.port = String(relay.port);
  if (options.user !== undefined) [url.username = '', url.password = ''] = options.user.split(':');
  return createCdrDatabase({
    open: () => openDatabase({ url: url.href, sqlite: 'sqlite3', atOnce: 1 }),
    table: options.table ?? 'pbx.cdr',
    zone: createZone(options.zone ?? 'UTC'),
    ...(options.most !== undefined && { most: options.most }),
  });
}

/** `340 -> 370 hangup 75 63`, for each of the entries that the records of some time stand for. */
async function told(from: CdrSource, since = noon, until = noon + 10 * minute): Promise<readonly string[]> {
  const { rows } = await from.read(since, until);
  return entriesOf(rows, names).map(
    ({ owner, entry: { inbound, number, result, duration, connected } }) =>
      `${owner.slice(4, 7)} ${inbound ? '<-' : '->'} ${number} ${result} ${duration} ${connected}`,
  );
}

/** The table of cdr_pgsql's and FreePBX's documentation. */
const columns = (time: string) =>
  `calldate ${time}, clid varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80), channel varchar(80), dstchannel varchar(80),
  lastapp varchar(80), lastdata varchar(80), duration int, billsec int, disposition varchar(45), amaflags int, accountcode varchar(20), uniqueid varchar(32), userfield varchar(255)`;
const call = (calldate: string, duration: number, rest = `63, 'ANSWERED'`) =>
  `INSERT INTO cdr (calldate, clid, src, dst, channel, dstchannel, duration, billsec, disposition, uniqueid)
  VALUES (${calldate}, '"Anna" <340>', '340', '370', 'PJSIP/340-1', 'PJSIP/370-2', ${duration}, ${rest}, '1.' || ${duration})`;
const both = ['340 -> 370 hangup 75 63', '370 <- 340 hangup 75 63'];

describe('a real Asterisk with cdr_pgsql', () => {
  let pbx: AsteriskServer;
  beforeAll(async () => {
    const { hostname, port, username } = new URL(postgres.url);
    pbx = await startAsterisk({
      extraFiles: {
        'cdr.conf': '[general]\nenable = yes\nunanswered = yes\n',
        'cdr_pgsql.conf': `[global]\nhostname=${hostname}\nport=${port}\ndbname=postgres\nuser=${username}\npassword=x\ntable=cdr\ntimezone=UTC\nencoding=UTF8\n`,
      },
    });
  });
  afterAll(() => pbx?.stop());

  it('writes what the journal is completed from', async () => {
    // The table of Asterisk's own migrations (contrib/ast-db-manage/cdr).
    await admin.query(`CREATE TABLE public.cdr (accountcode varchar(80), src varchar(80), dst varchar(80), dcontext varchar(80), clid varchar(80),
      channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), start timestamp, answer timestamp, "end" timestamp,
      duration int, billsec int, disposition varchar(45), amaflags varchar(45), userfield varchar(256), uniqueid varchar(150), linkedid varchar(150),
      peeraccount varchar(80), sequence int)`);
    try {
      await pbx.cli('module load cdr_pgsql.so');
      const began = Date.now();
      const anna = await startPhone(pbx, '340', { incoming: 'ring' });
      const bernd = await startPhone(pbx, '370', { incoming: 'answer' });
      const trunk = await startPhone(pbx, 'trunk');
      const answered = await anna.dial('370');
      await until('they talk', () => answered.state === 'connected');
      await answered.hangup();
      const missed = await trunk.dial('4930123456340', { number: '+4930555', name: 'Zoë' });
      await anna.ringing();
      await missed.hangup();
      const written = async () => (await admin.query('SELECT 1 FROM public.cdr')).rowCount;
      await until('both calls are written', async () => (await written()) === 2, 20);

      const changes: JournalChange[] = [];
      const store = createMemoryStore();
      const completion = createCompletion({
        book: store.ledger('journal'),
        store,
        source: source({ table: 'public.cdr' }),
        names: () => names,
        tell: (some) => changes.push(...some),
        log: pino({ level: 'silent' }),
        now: Date.now,
        afterMs: [1],
      });
      completion.gap(began, Date.now());
      await until('it is completed', () => changes.length === 3);
      completion.stop();
      const lines = changes.map(
        ({ owner, entry: { inbound, number, name, result } }) =>
          `${owner.slice(4, 7)} ${inbound ? '<-' : '->'} ${number} "${name}" ${result}`,
      );
      expect(lines.sort()).toEqual([
        '340 -> 370 "Bernd Schmidt" hangup',
        '340 <- +4930555 "Zoë" missed',
        '370 <- 340 "Anna Müller" hangup',
      ]);
      for (const phone of [anna, bernd, trunk]) await phone.stop();
    } finally {
      await admin.query('DROP TABLE public.cdr');
    }
  }, 60_000);
});

describe('tables of other making', () => {
  it('have times by a clock on the wall, in the zone that the setting names', async () => {
    await admin.query(`CREATE TABLE cdr (${columns('timestamp')})`);
    await admin.query(call(`'2026-11-26 13:00:10'`, 75));
    expect(await told(source({ zone: 'Europe/Berlin' }))).toEqual(both);
    expect(await told(source({ zone: 'UTC' }))).toEqual([]);
    // Summer, and a clock that is behind.
    await admin.query(call(`'2026-07-01 08:00:10'`, 75));
    const july = Date.UTC(2026, 6, 1, 12);
    expect(await told(source({ zone: 'America/New_York' }), july, july + 10 * minute)).toEqual(both);
  });

  it('have times that know their zone, or seconds of the epoch', async () => {
    await admin.query(`SET timezone = 'Asia/Tokyo'; CREATE TABLE cdr (${columns('timestamptz')})`);
    await admin.query(call(`'2026-11-26 21:00:10'`, 75));
    expect(await told(source({ zone: 'America/New_York' }))).toEqual(both);
    await admin.query(`DROP TABLE cdr; CREATE TABLE cdr (${columns('bigint')})`);
    await admin.query(call(String(noon / 1000), 75));
    expect(await told(source({ zone: 'America/New_York' }))).toEqual(both);
  });

  it('have Asterisk’s numbers for dispositions, and no column that is not needed', async () => {
    await admin.query(
      'CREATE TABLE cdr (start timestamp, channel text, dstchannel text, duration numeric, disposition int)',
    );
    const dispositions = [0, 1, 2, 4, 8, 16].map(
      (each) =>
        `('2026-11-26 12:00:0${each % 10}', 'PJSIP/340-${each}', 'PJSIP/trunk-9', ${20 + each}, ${each})`,
    );
    await admin.query(`INSERT INTO cdr VALUES ${dispositions.join(', ')}`);
    expect((await told(source())).map((each) => each.split(' ')[3]).sort()).toEqual(
      ['cancelled', 'cancelled', 'failed', 'busy', 'hangup', 'failed'].sort(),
    );
  });

  it('are empty', async () => {
    await admin.query(`CREATE TABLE cdr (${columns('timestamp')})`);
    expect(await source().read(noon, noon + minute)).toEqual({ rows: [], skipped: 0, complete: true });
  });

  it('are large: only calls that ended in the time are read, and so many of them', async () => {
    await admin.query(`CREATE TABLE cdr (${columns('timestamp')}); CREATE INDEX ON cdr (calldate)`);
    await admin.query(
      `INSERT INTO cdr (calldate, src, dst, channel, dstchannel, duration, billsec, disposition, uniqueid)
      SELECT timestamp '2026-11-26 11:59:00' - n * interval '1 minute', '340', '370', 'PJSIP/340-' || n, 'PJSIP/370-' || n, 30, 20, 'ANSWERED', 'old.' || n FROM generate_series(1, 100000) n`,
    );
    await admin.query(call(`'2026-11-26 12:00:00'`, 75));
    // Five hours long: it began before the time, and ended in it. One that began as early and is over, one that began the week before.
    await admin.query(call(`'2026-11-26 07:01:00'`, 5 * 3600));
    await admin.query(call(`'2026-11-26 07:01:00'`, 2 * 3600));
    await admin.query(call(`'2026-11-18 12:00:00'`, 8 * 24 * 3600 + 120));
    const { rows, complete } = await source({ most: 1000 }).read(noon, noon + 10 * minute);
    expect(rows.map(({ uniqueid }) => uniqueid).sort()).toEqual(['1.18000', '1.75']);
    expect(complete).toBe(true);
    const few = await source({ most: 50 }).read(noon - 24 * 60 * minute, noon);
    expect(few.complete).toBe(false);
    expect(few.rows.length).toBeLessThanOrEqual(50);
  });

  it('hold anything', async () => {
    await admin.query(`CREATE TABLE cdr (${columns('timestamp').replaceAll(/varchar\(\d+\)/g, 'text')})`);
    const row = (values: string) =>
      admin.query(
        `INSERT INTO cdr (calldate, clid, src, dst, channel, dstchannel, duration, billsec, disposition, uniqueid) VALUES (${values})`,
      );
    const time = `'2026-11-26 12:00:00'`;
    await row(`${time}, NULL, '340', '370', NULL, 'PJSIP/370-1', 5, 0, 'BUSY', '1'`);
    await row(`'infinity', '', '340', '370', 'PJSIP/340-1', 'PJSIP/370-1', 5, 0, 'BUSY', '2'`);
    await row(`${time}, '', '340', '370', 'PJSIP/340-1', 'PJSIP/370-1', -5, 0, 'BUSY', '3'`);
    await row(`${time}, '', '340', '370', 'PJSIP/340-1', 'PJSIP/370-1', NULL, 0, 'BUSY', '4'`);
    await row(
      `${time}, repeat('"x" <1>', 1000000), $q$'; DROP TABLE cdr; --$q$, E'\\x01</src>\\n', 'PJSIP/trunk-1', 'PJSIP/370-1', 5, 2147483647, 'WHATEVER', repeat('u', 100000)`,
    );
    const { rows, skipped } = await source().read(noon, noon + minute);
    expect(skipped).toBe(3);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ src: "'; DROP TABLE cdr; --", dst: '\u0001</src>\n', billsec: 6 });
    expect(JSON.stringify(rows[0]).length).toBeLessThan(2000);
    const [entry] = entriesOf(rows, names);
    expect(entry?.entry).toMatchObject({ inbound: true, result: 'missed' });
  });

  it('are not written to', async () => {
    await admin.query(`CREATE TABLE cdr (${columns('timestamp')})`);
    await expect(
      source({ table: 'pbx.cdr" WHERE 1 = 0; DROP TABLE pbx.cdr; --' }).read(noon, noon),
    ).rejects.toThrow();
    expect((await admin.query('SELECT count(*) FROM cdr')).rowCount).toBe(1);
  });
});

describe('other databases', () => {
  const at = (url: string, zone: string, sqlite = 'sqlite3') =>
    createCdrDatabase({
      open: () => openDatabase({ url, sqlite, atOnce: 1 }),
      table: 'cdr',
      zone: createZone(zone),
    });

  it('MariaDB, with the table that FreePBX makes', async () => {
    const mariadb = await startMariadb();
    try {
      const client = await createConnection({ uri: mariadb.url, multipleStatements: true });
      // It writes local time; the zero is what it puts where there is none.
      await client.query(`SET SESSION sql_mode = ''; CREATE TABLE cdr (calldate datetime NOT NULL DEFAULT '0000-00-00 00:00:00', clid varchar(80) NOT NULL DEFAULT '',
        src varchar(80) NOT NULL DEFAULT '', dst varchar(80) NOT NULL DEFAULT '', dcontext varchar(80) NOT NULL DEFAULT '', channel varchar(80) NOT NULL DEFAULT '',
        dstchannel varchar(80) NOT NULL DEFAULT '', lastapp varchar(80) NOT NULL DEFAULT '', lastdata varchar(80) NOT NULL DEFAULT '', duration int NOT NULL DEFAULT 0,
        billsec int NOT NULL DEFAULT 0, disposition varchar(45) NOT NULL DEFAULT '', uniqueid varchar(32) NOT NULL DEFAULT '', recordingfile varchar(255) NOT NULL DEFAULT '',
        KEY calldate (calldate)) DEFAULT CHARSET = utf8mb4`);
      await client.query(call(`'0000-00-00 00:00:00'`, 75).replace(`'1.' || 75`, `'1.0'`));
      for (const time of [`'2026-11-26 13:00:10'`, `'2026-11-20 13:00:10'`])
        await client.query(call(time, 75).replace(`'1.' || 75`, `'1.75'`));
      expect(await told(at(mariadb.url, 'Europe/Berlin'))).toEqual(both);
      expect(await told(at(mariadb.url, 'UTC'))).toEqual([]);
      await client.query('ALTER TABLE cdr DROP COLUMN disposition');
      await expect(told(at(mariadb.url, 'UTC'))).rejects.toThrow('the table cdr has no disposition');
      await client.query('DROP TABLE cdr');
      await expect(told(at(mariadb.url, 'UTC'))).rejects.toThrow(/cdr' doesn't exist/);
      await client.end();
    } finally {
      await mariadb.stop();
    }
  }, 60_000);

  it('SQLite, as cdr_sqlite3_custom writes it', async () => {
    const folder = await runFolder('cdr');
    try {
      const path = join(folder.path, 'master.db');
      await runSqlite(
        path,
        `PRAGMA journal_mode=WAL; CREATE TABLE cdr (AcctId INTEGER PRIMARY KEY, calldate, clid, src, dst, channel, dstchannel, duration, billsec, disposition, uniqueid);
        ${call(`'2026-11-26 12:00:10'`, 75)};`,
      );
      expect(await told(at(`sqlite://${path}`, 'UTC', await sqliteProgram(folder.path)))).toEqual(both);
    } finally {
      await folder.remove();
    }
  });
});

describe('what is wrong is said in a line', () => {
  const reason = async (from: CdrSource) => String(await from.read(noon, noon).catch((error) => error));

  it('a table or a column that is not there, or must not be read', async () => {
    expect(await reason(source())).toContain('"pbx.cdr" does not exist');
    await admin.query('CREATE TABLE cdr (src text, channel text, start timestamp)');
    expect(await reason(source())).toBe(
      'SqlError: the table pbx.cdr has no dstchannel, duration, disposition that this user may read',
    );
    await admin.query(`DROP TABLE cdr; CREATE TABLE cdr (src text, channel text)`);
    expect(await reason(source())).toContain('has no calldate or start, dstchannel,');
    await admin.query(`DROP TABLE cdr; CREATE TABLE cdr (${columns('timestamp')}); CREATE ROLE reader LOGIN`);
    expect(await reason(source({ user: 'reader' }))).toContain('permission denied for schema pbx');
    await admin.query('GRANT USAGE ON SCHEMA pbx TO reader');
    expect(await reason(source({ user: 'reader' }))).toContain('permission denied for table cdr');
    await admin.query('GRANT SELECT ON cdr TO reader');
    expect(await source({ user: 'reader' }).read(noon, noon)).toMatchObject({ rows: [], complete: true });
    await admin.query(
      'REVOKE ALL ON cdr FROM reader; REVOKE ALL ON SCHEMA pbx FROM reader; DROP ROLE reader',
    );
  });

  it('a wrong password, which is not shown', async () => {
    const path = (await admin.query('SHOW hba_file')).rows[0]?.hba_file;
    await admin.query(`CREATE ROLE guarded LOGIN PASSWORD 'right'`);
    await admin.query(
      `COPY (VALUES ('host all guarded all scram-sha-256'), ('host all all all trust')) TO '${path}'; `,
    );
    await admin.query('SELECT pg_reload_conf()');
    try {
      await until('passwords are asked for', async () =>
        (await reason(source({ user: 'guarded:wrong-secret' }))).includes('password authentication failed'),
      );
      expect(await reason(source({ user: 'guarded:wrong-secret' }))).not.toContain('wrong-secret');
      expect(await reason(source({ user: 'guarded:right' }))).not.toContain('password');
    } finally {
      await admin.query('DROP ROLE guarded');
    }
  });
});

it('a database that is not heard of any more is not waited for', async () => {
  await admin.query(`CREATE TABLE cdr (${columns('timestamp')})`);
  const url = new URL(postgres.url);
  url.port = String(relay.port);
  const database = await openDatabase({ url: url.href, sqlite: 'sqlite3', atOnce: 1 });
  const open = async () => database;
  expect(await database.query('SELECT 1 AS one', [], 5000)).toEqual([{ one: 1 }]);
  relay.freeze();
  const from = createCdrDatabase({ open, table: 'pbx.cdr', zone: createZone('UTC'), readMs: 100 });
  await expect(from.read(noon, noon)).rejects.toThrow('timeout');
  relay.mend();
});

it('a database that is away is asked again, and what it has is entered then', async () => {
  await admin.query(`CREATE TABLE cdr (${columns('timestamp')})`);
  await admin.query(call(`'2026-11-26 12:00:00'`, 75));
  relay.cut();
  const lines: string[] = [];
  const changes: JournalChange[] = [];
  const store = createMemoryStore();
  const options = {
    book: store.ledger('journal'),
    store,
    source: source(),
    names: () => names,
    tell: (some: readonly JournalChange[]) => void changes.push(...some),
    log: pino({}, { write: (text: string) => void lines.push(text) }),
    now: Date.now,
    afterMs: [1],
    againMs: 20,
  };
  const completion = createCompletion(options);
  completion.gap(noon, noon + 10 * minute);
  const failed = () => lines.filter((each) => each.includes('not completed')).length;
  await until('it was tried again', () => failed() >= 2);
  completion.stop();
  // The bridge after this one knows what is left to do.
  const next = createCompletion(options);
  next.resume(await store.loadFacts());
  const before = failed();
  await until('it is tried by the next one', () => failed() > before);
  relay.mend();
  await until('it is completed', () => changes.length === 2);
  await until('nothing is left to do', async () => !(await store.loadFacts()).has('journal-gap'));
  next.stop();
  expect(changes.map(({ type }) => type)).toEqual(['new', 'new']);
});

it('a database that stays away is given up after a while', async () => {
  const lines: string[] = [];
  const store = createMemoryStore();
  let asked = 0;
  const completion = createCompletion({
    book: store.ledger('journal'),
    store,
    source: {
      settings: '',
      read: async () => {
        asked += 1;
        throw new Error('away');
      },
    },
    names: () => names,
    tell: () => {},
    log: pino({}, { write: (text: string) => void lines.push(text) }),
    now: Date.now,
    afterMs: [1],
    againMs: 1,
    longestMs: 2,
  });
  completion.gap(noon, noon + minute);
  await until('it is given up', () => lines.some((each) => each.includes('a gap stays')));
  expect(asked).toBe(28);
  expect(await store.loadFacts()).toEqual(new Map());
});
