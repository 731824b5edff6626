/** An archive by the URL of its database. */

import { type DatabaseOptions, openDatabase } from '../database/open.ts';
import type { Log } from '../log.ts';
import type { Archive } from './archive.ts';
import { createSqlArchive } from './sql-archive.ts';

/** Questions to the database at a time. */
const AT_ONCE = 4;

/** Makes it; nothing is connected before the first search. */
export function openArchive(
  options: Pick<DatabaseOptions, 'url' | 'sqlite'> & {
    readonly log: Log;
    /** Milliseconds that only go forward. */
    readonly monotonic: () => number;
  },
): Archive {
  const { url, sqlite, log, monotonic } = options;
  const open = () => openDatabase({ url, sqlite, atOnce: AT_ONCE });
  return createSqlArchive({ open, log, monotonic, limits: { atOnce: AT_ONCE } });
}
