/** What is in the cache is whole; what cannot be fetched says what to do. */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { cached, cacheFolder } from './cache.ts';
import { tree } from './debian.ts';
import { ServersUnavailable } from './unavailable.ts';

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offhook-cache-'));
  vi.stubEnv('OFFHOOK_CACHE', folder);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
});

const fill = (folder: string) => writeFile(join(folder, 'file'), 'whole');

test('the folder is $OFFHOOK_CACHE, else that of the XDG specification', () => {
  expect(cacheFolder({ OFFHOOK_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/offhook');
  expect(cacheFolder({})).toMatch(/\/\.cache\/offhook$/);
});

test('two who want the same folder fill it once', async () => {
  const filler = vi.fn(fill);
  const [first, second] = await Promise.all([cached('debian/thing', filler), cached('debian/thing', filler)]);
  expect(first).toBe(second);
  expect(filler).toHaveBeenCalledTimes(1);
  expect(await readdir(join(cacheFolder(), 'debian'))).toEqual(['thing']);
});

test('a failure leaves nothing and the next try succeeds', async () => {
  const failing = async (folder: string) => {
    await fill(folder);
    throw new Error('network away');
  };
  await expect(cached('thing', failing)).rejects.toThrow('network away');
  expect(await readdir(cacheFolder())).toEqual([]);
  expect(await readdir(await cached('thing', fill))).toEqual(['file']);
});

test('the lock and the draft of a process that was killed are in nobody’s way', async () => {
  // Above the largest process id of Linux (PID_MAX_LIMIT, 2^22).
  await symlink(`${hostname()}:4194305`, join(cacheFolder(), 'thing.lock'));
  await mkdir(join(cacheFolder(), 'thing.draft-abc'));
  await cached('thing', fill);
  expect(await readdir(cacheFolder())).toEqual(['thing']);
});

test('without apt the error says what to do, in one line', async () => {
  vi.stubEnv('PATH', cacheFolder());
  const fetching = tree({ name: 'Redis', suite: 'bookworm', packages: ['redis-server'] });
  await expect(fetching).rejects.toThrow(ServersUnavailable);
  await expect(fetching).rejects.toThrow(/^[^\n]*docker compose up[^\n]*$/);
  expect(await readdir(join(cacheFolder(), 'debian', `bookworm-${process.arch}`))).toEqual([]);
});

test('what apt complains about is in the error', async () => {
  const fetching = tree({ name: 'Nothing', suite: 'no-such-suite', packages: ['nothing'] });
  await expect(fetching).rejects.toThrow(
    /^Nothing could not be fetched from Debian no-such-suite \(E: [^\n]*\. Run /,
  );
});
