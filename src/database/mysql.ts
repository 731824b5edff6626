/** MySQL and MariaDB by the package `mysql2`, which is loaded only where it is used. */

import { connect, type Socket } from 'node:net';
import type { PoolConnection } from 'mysql2/promise';
import { type Database, type Dialect, type Row, SqlError } from './database.ts';

const dialect: Dialect = {
  quote: (column) => `\`${column}\``,
  text: (column) => `CAST(${column} AS CHAR)`,
  // ejabberd's columns take é for e (utf8mb4_unicode_ci), so that one account would be another; its indexes go by that.
  exactly: (column) => `CONVERT(${column} USING utf8mb4) = ? COLLATE utf8mb4_bin`,
  // Prosody's columns are compared by their bytes (utf8mb4_bin).
  holds: (column) => `LOWER(${column}) LIKE LOWER(?) ESCAPE '!'`,
};

/** What the package says to who opens its sockets. */
interface Opening {
  readonly config: { readonly host: string; readonly port: number };
}

/** Makes it: connections that cannot write. */
export async function createMysql(url: string, connections: number): Promise<Database> {
  const { createPool } = await import('mysql2/promise');
  const sockets = new Set<Socket>();
  const pool = createPool({
    uri: url,
    stream({ config }: Opening) {
      const socket = connect(config.port, config.host).setNoDelay();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
    connectionLimit: connections,
    connectTimeout: 5000,
    charset: 'utf8mb4',
    supportBigNumbers: true,
  });
  /** Both know such a limit, each by another name; undefined before the first question. */
  let isMysql: boolean | undefined;

  /** The server gives up first: what is abandoned on this side only would go on there. */
  async function limit(connection: PoolConnection, ms: number, timeout: number): Promise<void> {
    try {
      const sql =
        isMysql === true
          ? `SET SESSION max_execution_time = ${ms}`
          : `SET SESSION max_statement_time = ${ms / 1000}`;
      await connection.query({ sql, timeout });
      isMysql ??= false;
    } catch (error) {
      if (isMysql !== undefined || !hasCode(error, /^ER_UNKNOWN_SYSTEM_VARIABLE$/)) throw error;
      isMysql = true;
      await limit(connection, ms, timeout);
    }
  }

  return {
    dialect,
    async query(sql, values, timeoutMs) {
      const connection = await pool.getConnection();
      try {
        // Of each word: an idle connection may have lost its other end.
        const end = performance.now() + timeoutMs;
        const left = () => Math.max(1, Math.ceil(end - performance.now()));
        await connection.query({ sql: 'SET SESSION TRANSACTION READ ONLY', timeout: left() });
        await limit(connection, Math.max(1, Math.floor(timeoutMs * 0.9)), left());
        const [rows] = await connection.query({ sql, values: [...values], timeout: left() });
        connection.release();
        return Array.isArray(rows) ? (rows as readonly Row[]) : [];
      } catch (error) {
        // What it does after a time-out nobody knows.
        connection.destroy();
        if (isRefusal(error)) throw new SqlError(error.message);
        throw error;
      }
    },
    async stop() {
      await pool.end();
      // A server that has vanished does not hang up, and would keep this process alive.
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** No such table, no such column, no right to read it. */
function isRefusal(error: unknown): error is Error {
  return hasCode(
    error,
    /^ER_(NO_SUCH_TABLE|BAD_FIELD_ERROR|TABLEACCESS_DENIED_ERROR|COLUMNACCESS_DENIED_ERROR)$/,
  );
}

function hasCode(error: unknown, codes: RegExp): error is Error {
  return error instanceof Error && 'code' in error && codes.test(String(error.code));
}
