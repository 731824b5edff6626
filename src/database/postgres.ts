/** PostgreSQL by the package `pg`, which is loaded only where it is used. */

import { Socket } from 'node:net';
import { type Database, type Dialect, type Row, SqlError } from './database.ts';

const dialect: Dialect = {
  quote: (column) => `"${column}"`,
  text: (column) => `CAST(${column} AS text)`,
  holds: (column) => `${column} ILIKE ? ESCAPE '!'`,
};

/** Makes it: connections that cannot write. */
export async function createPostgres(url: string, connections: number): Promise<Database> {
  const { default: pg } = await import('pg');
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    connectionString: url,
    stream() {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    max: connections,
    connectionTimeoutMillis: 5000,
    idleTimeoutMillis: 60_000,
    options: '-c default_transaction_read_only=on -c timezone=UTC -c datestyle=ISO',
  });
  // Of idle connections: the next question opens another.
  pool.on('error', () => {});
  return {
    dialect,
    async query(sql, values, timeoutMs) {
      let next = 0;
      const text = sql.replaceAll('?', () => `$${++next}`);
      const client = await pool.connect();
      // The server gives up first, so that the connection stays usable; where it is not heard of any more, we do.
      const limit = { query_timeout: timeoutMs + 1000 };
      let broken: Error | undefined;
      try {
        await client.query({
          text: `SET statement_timeout = ${Math.max(1, Math.floor(timeoutMs))}`,
          ...limit,
        });
        const { rows }: { rows: readonly Row[] } = await client.query({
          text,
          values: [...values],
          ...limit,
        });
        return rows;
      } catch (error) {
        if (isRefusal(error)) throw new SqlError(error.message);
        broken = error instanceof Error ? error : new Error(String(error));
        throw broken;
      } finally {
        client.release(broken);
      }
    },
    async stop() {
      await pool.end();
      // The pool says goodbye and waits for the server to close: one that has vanished never does.
      for (const socket of sockets) socket.destroySoon();
    },
  };
}

/** Class 42 of SQLSTATE: no such table, no such column, no right to read it. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('42');
}
