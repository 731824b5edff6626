/** MySQL and MariaDB by the package `mysql2`, which is loaded only where it is used. */

import { type Database, type Dialect, type Row, SqlError } from './database.ts';

const dialect: Dialect = {
  quote: (column) => `\`${column}\``,
  text: (column) => `CAST(${column} AS CHAR)`,
  // Prosody's columns are compared by their bytes (utf8mb4_bin).
  holds: (column) => `LOWER(${column}) LIKE LOWER(?) ESCAPE '!'`,
};

/** Makes it: connections that cannot write. */
export async function createMysql(url: string, connections: number): Promise<Database> {
  const { createPool } = await import('mysql2/promise');
  const pool = createPool({
    uri: url,
    connectionLimit: connections,
    connectTimeout: 5000,
    charset: 'utf8mb4',
    supportBigNumbers: true,
  });
  return {
    dialect,
    async query(sql, values, timeoutMs) {
      const connection = await pool.getConnection();
      try {
        await connection.query('SET SESSION TRANSACTION READ ONLY');
        const [rows] = await connection.query({ sql, values: [...values], timeout: timeoutMs });
        connection.release();
        return Array.isArray(rows) ? (rows as readonly Row[]) : [];
      } catch (error) {
        // What it does after a time-out nobody knows.
        connection.destroy();
        if (isRefusal(error)) throw new SqlError(error.message);
        throw error;
      }
    },
    stop: () => pool.end(),
  };
}

/** No such table, no such column, no right to read it. */
function isRefusal(error: unknown): error is Error {
  const codes = /^ER_(NO_SUCH_TABLE|BAD_FIELD_ERROR|TABLEACCESS_DENIED_ERROR|COLUMNACCESS_DENIED_ERROR)$/;
  return error instanceof Error && 'code' in error && codes.test(String(error.code));
}
