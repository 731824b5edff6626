/**
 * SQLite by its own program, `sqlite3`: a process a question. It takes the file's locks and reads its write-ahead log as the server does that
 * writes it, keeps our event loop free, and can be ended in time; what it is told holds no text of anybody, only numbers and hexadecimal digits.
 */

import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { type Database, type Dialect, type Row, SqlError, type SqlValue } from './database.ts';

const dialect: Dialect = {
  // COMPAT: an unknown name in double quotes would be taken for a text.
  quote: (column) => `\`${column}\``,
  text: (column) => `CAST(${column} AS TEXT)`,
  holds: (column) => `${column} LIKE ? ESCAPE '!'`,
};

const maxBytes = 32 * 1024 * 1024;

/** Makes it. Nothing is opened before a question. */
export function createSqlite(options: {
  /** The database's file; absolute. */
  readonly path: string;
  /** The program: its name or path. */
  readonly program: string;
}): Database {
  const running = new Set<() => void>();

  function ask(sql: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      // Safe: nothing in what it is told can start a program or touch another file. Readonly: it changes nothing.
      const args = ['-batch', '-safe', '-readonly', '-json', '-cmd', `.timeout ${Math.floor(timeoutMs / 2)}`];
      const child = spawn(options.program, [...args, options.path], {
        stdio: 'pipe',
        env: { LC_ALL: 'C.UTF-8' },
      });
      const chunks: Buffer[] = [];
      let size = 0;
      let said = '';
      let why: Error | undefined;
      const end = (error: Error) => {
        why ??= error;
        child.kill('SIGKILL');
      };
      const stop = () => end(new Error('stopped'));
      const timer = setTimeout(
        () => end(new Error(`SQLite did not answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      running.add(stop);
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) end(new Error(`SQLite answered with more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(0, 500);
      });
      // Where it ended before it read everything, its exit says why.
      child.stdin.on('error', () => {});
      child.on('error', (error) => {
        why ??= error;
      });
      child.on('close', (code) => {
        clearTimeout(timer);
        running.delete(stop);
        if (why !== undefined) reject(why);
        else if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
        else
          reject(
            /no such (table|column)/.test(said)
              ? new SqlError(said.trim())
              : new Error(said.trim() || `sqlite3 ended with ${code}`),
          );
      });
      child.stdin.end(`${sql};\n`);
    });
  }

  return {
    dialect,
    async query(sql, values, timeoutMs) {
      await demandLog(options.path);
      const text = await ask(withLiterals(sql, values), timeoutMs);
      return text.trim() === '' ? [] : (JSON.parse(text) as readonly Row[]);
    },
    async stop() {
      for (const stop of running) stop();
    },
  };
}

/**
 * Without a write-ahead log, who reads keeps out who writes, and XMPP servers do not wait: the message is not archived then (seen with ejabberd
 * 23.01: "database is locked"). The file's head says which it is (sqlite.org/fileformat2.html, 1.3.3), without a lock.
 */
async function demandLog(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    if (bytesRead === 20 && buffer[18] === 2 && buffer[19] === 2) return;
  } finally {
    await file.close();
  }
  throw new Error(
    `${path} has no write-ahead log, so that reading could keep the server from writing: run "sqlite3 ${path} 'PRAGMA journal_mode=WAL'" once`,
  );
}

/** Puts the values in: numbers as they are, texts as bytes, so that none of them can mean anything. */
function withLiterals(sql: string, values: readonly SqlValue[]): string {
  let next = 0;
  return sql.replaceAll('?', () => {
    const value = values[next++];
    if (typeof value === 'number') return String(value);
    if (value === null || value === undefined) return 'NULL';
    return `CAST(x'${Buffer.from(value, 'utf8').toString('hex')}' AS TEXT)`;
  });
}
