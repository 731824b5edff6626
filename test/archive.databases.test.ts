/** The same archive in each kind of database, with the tables of each server. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Archive, ArchivedMessage, ArchiveQuery } from '../src/archive/archive.ts';
import { openArchive } from '../src/archive/open.ts';
import type { Database } from '../src/database/database.ts';
import { createMysql } from '../src/database/mysql.ts';
import { createPostgres } from '../src/database/postgres.ts';
import { createSqlite } from '../src/database/sqlite.ts';
import type { BareJid } from '../src/protocol/jid.ts';
import { tree } from './servers/debian.ts';
import { type MariadbServer, startMariadb } from './servers/mariadb.ts';
import { type PostgresServer, startPostgres } from './servers/postgres.ts';
import { openRelay } from './servers/relay.ts';
import { runSqlite, sqliteProgram } from './servers/sqlite.ts';
import { ejabberdTrees } from './servers/trees.ts';
import { until } from './servers/until.ts';

const anna = 'tweber@example.org' as BareJid;
const max = 'mmeyer@example.org' as BareJid;
const second = 1_700_000_000;

/** Prosody's table (mod_storage_sql), for SQLite and PostgreSQL. */
const prosodyTables = (serial: string) => `
CREATE TABLE prosodyarchive (sort_id ${serial}, host TEXT NOT NULL, "user" TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL,
  "when" INTEGER NOT NULL, "with" TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX prosodyarchive_with_when ON prosodyarchive (host, "user", store, "with", "when");
CREATE INDEX prosodyarchive_when ON prosodyarchive (host, "user", store, "when");`;

/** And for MariaDB: keys as long as it takes, text compared by its bytes. */
const prosodyTablesInMysql = `
CREATE TABLE prosodyarchive (sort_id INTEGER PRIMARY KEY AUTO_INCREMENT, host TEXT NOT NULL, \`user\` TEXT NOT NULL, store TEXT NOT NULL, \`key\` TEXT NOT NULL,
  \`when\` INTEGER NOT NULL, \`with\` TEXT NOT NULL, type TEXT NOT NULL, value MEDIUMTEXT NOT NULL) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX prosodyarchive_with_when ON prosodyarchive (host(20), \`user\`(20), store(20), \`with\`(20), \`when\`);
CREATE INDEX prosodyarchive_when ON prosodyarchive (host(20), \`user\`(20), store(20), \`when\`);`;

interface Line {
  readonly user: string;
  readonly at: number;
  readonly peer: string;
  readonly xml: string;
  readonly text: string;
}
const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const message = (user: string, at: number, peer: string, text: string): Line => ({
  user,
  at,
  peer,
  text,
  xml: `<message xmlns='jabber:client' from='${peer}' to='${user}@example.org'><body>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</body></message>`,
});
const lines: readonly Line[] = [
  message('tweber', second, max, 'Grüße & 50%_'),
  message('tweber', second + 10, max, 'GRÜSSE'),
  message('tweber', second + 20, 'boss@example.org', 'noon'),
  message('mmeyer', second + 30, anna, 'noon for Max'),
  // Somebody else, whom some databases take for Thomas.
  message('twéber', second + 31, max, 'noon for another one'),
  message('tweber', second + 32, 'mméyer@example.org', 'twelve'),
  message('tweber', second + 40, 'boss@example.org', '\u{1F600} Smile'),
  message('tweber', second + 50, 'boss@example.org', `whale ${'-'.repeat(60_000)}`),
  message('tweber', second + 51, 'boss@example.org', `larger whale ${'-'.repeat(66_000)}`),
  ...Array.from({ length: 700 }, (_, index) => message('tweber', second + 100 + index, max, `many ${index}`)),
];
const inProsody = (quote: '"' | '`') =>
  lines.map(({ user, at, peer, xml }, index) =>
    `INSERT INTO prosodyarchive (host, "user", store, "key", "when", "with", type, value) VALUES ('example.org', '${user}', 'archive', 'k${index}', ${at}, '${peer}', 'xml', `
      .replaceAll('"', quote)
      .concat(quoted(xml), ');'),
  );
/** With microseconds, as ejabberd has them. */
const inEjabberd = (host: boolean) =>
  lines.map(
    ({ user, at, peer, xml, text }) =>
      `INSERT INTO archive (username, ${host ? 'server_host, ' : ''}timestamp, peer, bare_peer, xml, txt, kind, nick) VALUES ('${user}', ${host ? "'example.org', " : ''}${at * 1_000_000 + 789}, '${peer}', '${peer}', ${quoted(xml)}, ${quoted(text)}, 'chat', '');`,
  );

let folder: string;
let program: string;
let postgres: PostgresServer;
let mariadb: MariadbServer;
let sql: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offhook-archive-'));
  program = await sqliteProgram(folder);
  [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  sql = join(await tree(ejabberdTrees['23']), 'usr/share/ejabberd/sql');
});
afterAll(async () => {
  await postgres?.stop();
  await mariadb?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a database with a server's tables and lines; resolves with its URL. */
const databases = {
  async sqlite(name: string, statements: readonly string[]): Promise<string> {
    const path = join(folder, `${name}.sqlite`);
    await runSqlite(path, ['PRAGMA journal_mode=WAL;', 'BEGIN;', ...statements, 'COMMIT;'].join('\n'));
    return `sqlite://${path}`;
  },
  async postgres(name: string, statements: readonly string[]): Promise<string> {
    const admin = new Client(postgres.url);
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.end();
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    const client = new Client(url.href);
    await client.connect();
    await client.query(statements.join('\n'));
    await client.end();
    return url.href;
  },
  async mysql(name: string, statements: readonly string[]): Promise<string> {
    const client = await createConnection({ uri: mariadb.url, multipleStatements: true, charset: 'utf8mb4' });
    await client.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4; USE ${name}`);
    await client.query(['BEGIN;', ...statements, 'COMMIT;'].join('\n'));
    await client.end();
    const url = new URL(mariadb.url);
    url.pathname = `/${name}`;
    return url.href;
  },
} as const;
const kinds = ['sqlite', 'postgres', 'mysql'] as const;
type Kind = (typeof kinds)[number];
/** How ejabberd calls the files of its tables. */
const fileOf: Readonly<Record<Kind, string>> = { sqlite: 'lite', postgres: 'pg', mysql: 'mysql' };
const tables = {
  async prosody(kind: Kind) {
    if (kind === 'mysql') return [prosodyTablesInMysql, ...inProsody('`')];
    return [
      prosodyTables(kind === 'sqlite' ? 'INTEGER PRIMARY KEY' : 'SERIAL PRIMARY KEY'),
      ...inProsody('"'),
    ];
  },
  async ejabberd(kind: Kind) {
    return [await readFile(join(sql, `${fileOf[kind]}.sql`), 'utf8'), ...inEjabberd(false)];
  },
  async hosts(kind: Kind) {
    return [await readFile(join(sql, `${fileOf[kind]}.new.sql`), 'utf8'), ...inEjabberd(true)];
  },
} as const;

const servers = ['prosody', 'ejabberd', 'hosts'] as const;
describe.each(kinds.flatMap((kind) => servers.map((server) => [kind, server] as const)))(
  '%s with the tables of %s',
  (kind, server) => {
    let archive: Archive;
    beforeAll(async () => {
      const url = await databases[kind](server, await tables[server](kind));
      archive = openArchive({
        url,
        sqlite: program,
        log: pino({ level: 'silent' }),
        monotonic: () => performance.now(),
      });
    });
    afterAll(() => archive?.stop());

    async function search(text: string, query: Partial<ArchiveQuery> = {}, most = 1000) {
      const found: ArchivedMessage[] = [];
      await archive.search({ owner: anna, text, ...query }, (each) => found.push(each) < most);
      return found.map(({ body }) => body);
    }

    it('finds the owner’s messages only, newest first, whatever the case', async () => {
      expect(await search('grü')).toEqual(['GRÜSSE', 'Grüße & 50%_']);
      expect(await search('& 50%_')).toEqual(['Grüße & 50%_']);
      expect(await search('NOON')).toEqual(['noon']);
      expect(await search('smile')).toEqual(['\u{1F600} Smile']);
      expect(await search('\u{1F600} s')).toEqual(['\u{1F600} Smile']);
      expect(await search('noon', { owner: max })).toEqual(['noon for Max']);
      expect(await search('noon', { owner: 'tweber@example.com' as BareJid })).toEqual(
        server === 'ejabberd' ? ['noon'] : [],
      );
      for (const text of [
        '50__',
        '5%_',
        "' OR 1=1 --",
        "x'00'",
        '?',
        '\u0000ab',
        'a\nb; DROP TABLE archive',
      ]) {
        expect([text, await search(text)]).toEqual([text, []]);
      }
    });

    it('within times and with a person', async () => {
      expect(await search('o', { from: second * 1000, to: (second + 21) * 1000 })).toEqual(['noon']);
      expect(await search('o', { from: second * 1000, to: (second + 20) * 1000 })).toEqual([]);
      expect(await search('oo', { peer: 'boss@example.org' as BareJid })).toEqual(['noon']);
      expect(await search('twelve', { peer: max })).toEqual([]);
    });

    it('among messages of a size that people write', async () => {
      expect((await search('whale')).map((body) => body.slice(0, 6))).toEqual(['whale ']);
    });

    it('page by page, no further than asked', async () => {
      const all = await search('many');
      expect(all).toHaveLength(700);
      expect(all[0]).toBe('many 699');
      expect(new Set(all).size).toBe(700);
      expect(await search('many', {}, 3)).toEqual(['many 699', 'many 698', 'many 697']);
    });

    it('knows when people wrote', async () => {
      expect(await archive.times(anna, max, second * 1000, (second + 100) * 1000)).toEqual(
        [0, 10, 100].map((each) => (second + each) * 1000),
      );
    });
  },
);

describe.each(kinds)('%s', (kind) => {
  let database: Database;
  beforeAll(async () => {
    const url = await databases[kind]('other', ['CREATE TABLE notes (id INTEGER, body TEXT);']);
    if (kind === 'sqlite') database = createSqlite({ path: new URL(url).pathname, program });
    else database = await (kind === 'mysql' ? createMysql(url, 2) : createPostgres(url, 2));
  });
  afterAll(() => database?.stop());

  it('is not written to', async () => {
    await expect(database.query("INSERT INTO notes VALUES (1, 'x')", [], 5000)).rejects.toThrow(
      /read.?only/i,
    );
    await expect(database.query('DROP TABLE notes', [], 5000)).rejects.toThrow(/read.?only/i);
    expect(await database.query('SELECT id FROM notes', [], 5000)).toEqual([]);
  });

  it('is given up when it takes too long, and answers the next one', async () => {
    const long = {
      sqlite: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
      postgres: 'SELECT pg_sleep(60)',
      mysql: 'SELECT SLEEP(60)',
    }[kind];
    await expect(database.query(long, [], 300)).rejects.toThrow(/did not answer|timeout|max_statement_time/);
    expect(await database.query('SELECT 1 AS one', [], 5000)).toEqual([{ one: 1 }]);
  });

  it('keeps values as they are', async () => {
    const text = 'ä\u0001"\\\'\u{1F600}\n';
    const rows = await database.query(
      kind === 'postgres' ? 'SELECT ?::text AS a, ?::int AS b' : 'SELECT ? AS a, ? AS b',
      [text, 42],
      5000,
    );
    expect(rows).toEqual([{ a: text, b: 42 }]);
  });

  it('says so where the tables are neither server’s', async () => {
    const said: string[] = [];
    const log = pino({ level: 'error' }, { write: (line) => void said.push(line) });
    const url = {
      sqlite: `sqlite://${folder}/other.sqlite`,
      postgres: postgres.url.replace(/postgres$/, 'other'),
      mysql: mariadb.url.replace(/archive$/, 'other'),
    }[kind];
    const archive = openArchive({ url, sqlite: program, log, monotonic: () => performance.now() });
    for (let again = 0; again < 2; again += 1) {
      await expect(archive.search({ owner: anna, text: 'noon' }, () => true)).rejects.toMatchObject({
        code: 'not-available',
      });
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('neither a table');
    await archive.stop();
  });
});

it('SQLite without a write-ahead log is not read: its readers would keep the server from writing', async () => {
  const path = join(folder, 'plain.sqlite');
  await runSqlite(path, prosodyTables('INTEGER PRIMARY KEY'));
  const database = createSqlite({ path, program });
  await expect(database.query('SELECT 1', [], 5000)).rejects.toThrow('journal_mode=WAL');
});

it('MariaDB needs to let the bridge read one table, and stops what takes too long itself', async () => {
  const admin = await createConnection(mariadb.url);
  const url = new URL(await databases.mysql('granted', await tables.prosody('mysql')));
  await admin.query("CREATE USER reader IDENTIFIED BY 'pass'");
  [url.username, url.password] = ['reader', 'pass'];
  const log = pino({ level: 'silent' });
  const archive = openArchive({ url: url.href, sqlite: program, log, monotonic: () => performance.now() });
  const search = async () => {
    const found: string[] = [];
    await archive.search({ owner: anna, text: 'noon' }, ({ body }) => found.push(body) < 10);
    return found;
  };
  await expect(search()).rejects.toMatchObject({ code: 'not-available' });
  await admin.query('GRANT SELECT ON granted.prosodyarchive TO reader');
  expect(await search()).toEqual(['noon']);
  await archive.stop();
  const database = await createMysql(mariadb.url, 1);
  // Unlike SLEEP it does not look whether anybody still waits.
  const many = ['a', 'b', 'c', 'd'].map((name) => `information_schema.COLLATIONS ${name}`).join(', ');
  await expect(database.query(`SELECT count(*) AS endless FROM ${many}`, [], 200)).rejects.toThrow();
  const runs = async () => JSON.stringify((await admin.query('SHOW PROCESSLIST'))[0]).includes('endless');
  await until('nothing runs there any more', async () => !(await runs()));
  await database.stop();
  await admin.end();
});

it.each(['postgres', 'mysql'] as const)(
  '%s that is not heard of any more is not waited for',
  async (kind) => {
    const url = new URL(kind === 'mysql' ? mariadb.url : postgres.url);
    const relay = await openRelay(Number(url.port));
    url.port = String(relay.port);
    const database = await (kind === 'mysql' ? createMysql : createPostgres)(url.href, 1);
    const ask = () => database.query('SELECT 1 AS one', [], 10_000);
    expect(await ask()).toEqual([{ one: 1 }]);
    relay.freeze();
    // On the idle connection, whose other end has vanished.
    await expect(database.query('SELECT 1 AS one', [], 100)).rejects.toThrow(/timeout/i);
    expect(await ask()).toEqual([{ one: 1 }]);
    // The relay's own sockets stay: they are frozen.
    relay.freeze();
    const sockets = () => process.getActiveResourcesInfo().filter((each) => /^TCPSocket/.test(each)).length;
    const before = sockets();
    await database.stop();
    await until('its socket is closed', () => sockets() < before);
    await relay.stop();
  },
);

it('a database that is not there, and a program that is not, are not available', async () => {
  for (const [url, sqlite] of [
    [`sqlite://${folder}/nowhere.sqlite`, program],
    [`sqlite://${folder}/other.sqlite`, join(folder, 'nothing')],
    ['postgres://nobody@127.0.0.1:1/nothing', program],
    ['mysql://nobody@127.0.0.1:1/nothing', program],
    [mariadb.url.replace('secret', 'wrong'), program],
    [mariadb.url.replace(/archive$/, 'nowhere'), program],
  ] as const) {
    const archive = openArchive({
      url,
      sqlite,
      log: pino({ level: 'silent' }),
      monotonic: () => performance.now(),
    });
    await expect(archive.search({ owner: anna, text: 'noon' }, () => true)).rejects.toMatchObject({
      code: 'not-available',
    });
    await archive.stop();
  }
});
