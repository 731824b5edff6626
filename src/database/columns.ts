/** What a table has. */

import { type Database, SqlError } from './database.ts';

/** Whether a table is there, has this column, and lets it be read. Rejects where the database cannot be asked. `table` and `column` are not checked. */
export async function hasColumn(
  database: Database,
  table: string,
  column: string,
  timeoutMs: number,
): Promise<boolean> {
  try {
    await database.query(`SELECT ${database.dialect.quote(column)} FROM ${table} WHERE 1 = 0`, [], timeoutMs);
    return true;
  } catch (error) {
    if (error instanceof SqlError) return false;
    throw error;
  }
}
