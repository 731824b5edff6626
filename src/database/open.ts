/** A database by its URL. */

import type { Database } from './database.ts';
import { createMysql } from './mysql.ts';
import { createPostgres } from './postgres.ts';
import { createSqlite } from './sqlite.ts';

/** Where a database is, and what opens it. */
export interface DatabaseOptions {
  /** `sqlite:///path`, `postgres://…`, `mysql://…`. */
  readonly url: string;
  /** The program that opens files of SQLite. */
  readonly sqlite: string;
  /** Questions at a time. */
  readonly atOnce: number;
}

/** Makes it; nothing is connected before a question. Rejects where the package for it is not installed. */
export async function openDatabase({ url, sqlite, atOnce }: DatabaseOptions): Promise<Database> {
  const { protocol, pathname } = new URL(url);
  if (protocol === 'sqlite:') return createSqlite({ path: decodeURIComponent(pathname), program: sqlite });
  return protocol === 'mysql:' ? createMysql(url, atOnce) : createPostgres(url, atOnce);
}
