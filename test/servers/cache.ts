/** The folder that survives between runs: what was fetched once per machine lies here. */
import { mkdir, mkdtemp, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** `$OFFHOOK_CACHE`, else `$XDG_CACHE_HOME/offhook`, else `~/.cache/offhook` (XDG Base Directory Specification). */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.OFFHOOK_CACHE) return env.OFFHOOK_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'offhook');
}

/**
 * The folder `name` of the cache, filled by `fill` if it is not there yet.
 *
 * `fill` writes into a temporary neighbor that is renamed when it is complete, so a folder that exists is whole,
 * whatever was interrupted. A second process waits for the first instead of fetching the same thing again.
 * @throws what `fill` throws; nothing is left behind then.
 */
export async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (await exists(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unlock = await lock(`${folder}.lock`, () => exists(folder));
  try {
    if (await exists(folder)) return folder;
    await removeDrafts(folder);
    const draft = await mkdtemp(`${folder}.draft-`);
    try {
      await fill(draft);
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Somebody who took our lock for a stale one may have been faster; then there is a whole folder, too.
      if (!(await exists(folder))) throw error;
    }
    return folder;
  } finally {
    await unlock();
  }
}

/** What was interrupted before; the lock says that nobody works on it now. */
async function removeDrafts(folder: string): Promise<void> {
  const names = await readdir(dirname(folder));
  for (const name of names.filter((entry) => entry.startsWith(`${basename(folder)}.draft-`))) {
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

/** True if `path` exists. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Takes the lock at `path`, or returns as soon as `needless` says that there is nothing left to do. */
async function lock(path: string, needless: () => Promise<boolean>): Promise<() => Promise<void>> {
  const owner = `${hostname()}:${process.pid}`;
  for (;;) {
    try {
      // A symbolic link is created together with its content: there is no moment with an owner unknown.
      await symlink(owner, path);
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (await needless()) return async () => {};
    const holder = await readlink(path).catch(() => undefined);
    if (holder !== undefined && holder !== owner && isStale(holder)) {
      const taken = `${path}.${process.pid}`;
      await rename(path, taken).catch(() => undefined);
      await rm(taken, { force: true });
      continue;
    }
    await wait(200);
  }
}

function isStale(holder: string): boolean {
  const colon = holder.lastIndexOf(':');
  return holder.slice(0, colon) === hostname() && !isAlive(Number(holder.slice(colon + 1)));
}

/** True if there is a process `pid` on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
