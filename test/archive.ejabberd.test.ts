import { join } from 'node:path';
import { pino } from 'pino';
import { openArchive } from '../src/archive/open.ts';
import { archiveContract } from './contract/archive.ts';
import { startEjabberd } from './servers/index.ts';
import { sqliteProgram } from './servers/sqlite.ts';

archiveContract('ejabberd with SQLite', async (options) => {
  const server = await startEjabberd({ ...options, sql: true });
  const archive = openArchive({
    url: `sqlite://${join(server.path, 'archive.sqlite')}`,
    sqlite: await sqliteProgram(server.path),
    log: pino({ level: 'error' }),
    monotonic: () => performance.now(),
  });
  return { server, archive };
});
