/**
 * The chat archive: searches of a user with 10,000 messages among 1,000,000, in Prosody's tables, in SQLite and in PostgreSQL: a frequent word, a
 * rare one, one that is nowhere. `npm run bench -- archive`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import type { Archive } from '../src/archive/archive.ts';
import { openArchive } from '../src/archive/open.ts';
import type { BareJid } from '../src/protocol/jid.ts';
import { startPostgres } from '../test/servers/postgres.ts';
import { runSqlite, sqliteProgram } from '../test/servers/sqlite.ts';
import { report } from './report.ts';

const searches = 300;
const owner = 'user7@example.org' as BareJid;

/** 100 users with 10,000 messages each; `n` is the number of the message. */
const values = (from: string, text: (expression: string) => string) => `
INSERT INTO prosodyarchive (host, "user", store, key, "when", "with", type, value)
SELECT 'example.org', 'user' || (n % 100), 'archive', 'k' || n, 1700000000 + n / 10, 'peer' || (n / 100 % 50) || '@example.org', 'xml',
  '<message xmlns=''jabber:client'' id=''' || n || ''' type=''chat'' to=''user' || (n % 100) || '@example.org/desk'' from=''peer' || (n / 100 % 50) ||
  '@example.org/phone''><body>Shall we talk about order ' || n || ' at noon, or is that too late for everybody who is in the meeting?' ||
  CASE WHEN n / 100 % 1000 = 500 THEN ' A rare zebra.' ELSE '' END ||
  '</body><active xmlns=''http://jabber.org/protocol/chatstates''/><stanza-id xmlns=''urn:xmpp:sid:0'' by=''user@example.org'' id=''' || ${text('n')} || '''/></message>'
${from};
CREATE UNIQUE INDEX prosodyarchive_index ON prosodyarchive (host, "user", store, key);
CREATE INDEX prosodyarchive_with_when ON prosodyarchive (host, "user", store, "with", "when");
CREATE INDEX prosodyarchive_when ON prosodyarchive (host, "user", store, "when");`;
const table = (serial: string) =>
  `CREATE TABLE prosodyarchive (sort_id ${serial} PRIMARY KEY, host TEXT NOT NULL, "user" TEXT NOT NULL, store TEXT NOT NULL, key TEXT NOT NULL, "when" INTEGER NOT NULL, "with" TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL);`;

/** Percentiles of searches one after the other, milliseconds. */
async function measure(
  archive: Archive,
  text: string,
): Promise<{ half: number; p99: number; found: number }> {
  const took: number[] = [];
  let found = 0;
  for (let count = 0; count < searches; count += 1) {
    const start = performance.now();
    found = 0;
    await archive.search({ owner, text }, () => ++found < 100);
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.ceil(took.length * share) - 1] ?? 0;
  return { half: at(0.5), p99: at(0.99), found };
}

async function bench(name: string, url: string, sqlite: string): Promise<void> {
  const archive = openArchive({
    url,
    sqlite,
    log: pino({ level: 'error' }),
    monotonic: () => performance.now(),
  });
  for (const [kind, text] of [
    ['a frequent word', 'NOON'],
    ['a rare word', 'zebra'],
    ['a word that is nowhere', 'giraffe'],
  ] as const) {
    const { half, p99, found } = await measure(archive, text);
    report([
      `archive, 1,000,000 messages in ${name}: ${kind}`,
      `p99 ${p99.toFixed(0)} ms, median ${half.toFixed(0)} ms`,
      `≤ 200 ms; ${found} found`,
    ]);
  }
  await archive.stop();
}

const folder = await mkdtemp(join(tmpdir(), 'offhook-bench-'));
const postgres = await startPostgres();
try {
  const sqlite = await sqliteProgram(folder);
  const file = join(folder, 'archive.sqlite');
  const numbers =
    'FROM (WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 999999) SELECT n FROM c)';
  await runSqlite(
    file,
    `PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; BEGIN; ${table('INTEGER')} ${values(numbers, (n) => `hex(${n})`)} COMMIT;`,
  );
  await bench('SQLite', `sqlite://${file}`, sqlite);
  const client = new Client(postgres.url);
  await client.connect();
  await client.query(table('SERIAL'));
  await client.query(values('FROM generate_series(0, 999999) AS n', (n) => `md5(${n}::text)`));
  await client.query('VACUUM ANALYZE prosodyarchive');
  await client.end();
  await bench('PostgreSQL', postgres.url, sqlite);
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
