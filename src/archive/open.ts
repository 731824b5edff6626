/** An archive by the URL of its database. */

import type { Log } from '../log.ts';
import type { Archive } from './archive.ts';
import type { Database } from './database.ts';
import { createMysql } from './mysql.ts';
import { createPostgres } from './postgres.ts';
import { createSqlArchive } from './sql-archive.ts';
import { createSqlite } from './sqlite.ts';

/** Questions to the database at a time. */
const AT_ONCE = 4;

/** Makes it; nothing is connected before the first search. */
export function openArchive(options: {
  /** `sqlite:///path`, `postgres://…`, `mysql://…`. */
  readonly url: string;
  /** The program that opens files of SQLite. */
  readonly sqlite: string;
  readonly log: Log;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}): Archive {
  const { url, sqlite, log, monotonic } = options;
  const { protocol, pathname } = new URL(url);
  const open = async (): Promise<Database> => {
    if (protocol === 'sqlite:') return createSqlite({ path: decodeURIComponent(pathname), program: sqlite });
    return protocol === 'mysql:' ? createMysql(url, AT_ONCE) : createPostgres(url, AT_ONCE);
  };
  return createSqlArchive({ open, log, monotonic, limits: { atOnce: AT_ONCE } });
}
