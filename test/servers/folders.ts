/** Run folders: one per started server, below the system's temporary folder, gone when the server stops. */
import { readdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './cache.ts';
import { atExit } from './exit.ts';

const prefix = 'offhook-run-';

/** A run folder and how to remove it. It is also removed when this process ends. */
export interface RunFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new, empty run folder; `name` makes it recognizable. */
export async function runFolder(name: string): Promise<RunFolder> {
  sweep();
  const path = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${name}-`));
  const forget = atExit(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    async remove() {
      forget();
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Removes what processes left behind that were killed and could not clean up. */
function sweep(): void {
  for (const entry of readdirSync(tmpdir())) {
    const owner = entry.startsWith(prefix) ? Number.parseInt(entry.slice(prefix.length), 10) : Number.NaN;
    if (!Number.isNaN(owner) && !isAlive(owner))
      rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
}
