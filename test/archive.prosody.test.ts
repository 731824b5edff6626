import { join } from 'node:path';
import { pino } from 'pino';
import { openArchive } from '../src/archive/open.ts';
import { archiveContract } from './contract/archive.ts';
import { startProsody } from './servers/index.ts';
import { startMariadb } from './servers/mariadb.ts';
import { runSqlite, sqliteProgram } from './servers/sqlite.ts';

archiveContract('Prosody with SQLite', async (options) => {
  const server = await startProsody({ ...options, sql: true });
  const database = join(server.path, 'data/prosody.sqlite');
  await runSqlite(database, 'PRAGMA journal_mode=WAL');
  const archive = openArchive({
    url: `sqlite://${database}`,
    sqlite: await sqliteProgram(server.path),
    log: pino({ level: 'error' }),
    monotonic: () => performance.now(),
  });
  return { server, archive };
});

archiveContract('Prosody with MariaDB', async (options) => {
  const mariadb = await startMariadb();
  const server = await startProsody({ ...options, sql: mariadb });
  const archive = openArchive({
    url: mariadb.url,
    sqlite: 'none',
    log: pino({ level: 'error' }),
    monotonic: () => performance.now(),
  });
  const stop = async () => {
    await server.stop();
    await mariadb.stop();
  };
  return { server: { ...server, stop }, archive };
});
