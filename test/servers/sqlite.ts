/** SQLite's program, from its package. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tree } from './debian.ts';
import { fromTree } from './process.ts';
import { sqliteTree } from './trees.ts';

async function command(args: readonly string[]) {
  return fromTree(await tree(sqliteTree), 'usr/bin/sqlite3', args);
}

/** Writes a script below `folder` that is `sqlite3`; returns its path. */
export async function sqliteProgram(folder: string): Promise<string> {
  const { program, args } = await command([]);
  const words = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const path = join(folder, 'sqlite3');
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  return path;
}

/** Carries SQL out on a database, which is made where there is none. Resolves with what is printed. */
export async function runSqlite(database: string, sql: string): Promise<string> {
  const { program, args } = await command(['-batch', '-bail', database]);
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 1 << 26 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin?.end(sql);
  });
}
