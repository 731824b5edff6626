/**
 * Folder trees of unpacked Debian packages, with all they depend on down to the C library: programs run from them
 * without root and without installing anything. apt gets a state of its own in which no package is installed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cached, exists } from './cache.ts';
import { ServersUnavailable } from './unavailable.ts';

const run = promisify(execFile);

/** What is fetched: `packages` of `suite` (Debian code name). */
export interface TreeRequest {
  /** How progress reports and errors call it: "Prosody". */
  readonly name: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

/** How far fetching a tree is; `done` and `total` are bytes, 0 while unknown. */
export interface Progress {
  readonly name: string;
  readonly step: 'list' | 'download' | 'unpack';
  readonly done: number;
  readonly total: number;
}

/** Called when a step begins and about twice a second while downloading. Never called when the cache has the tree. */
export type OnProgress = (progress: Progress) => void;

/** Packages that only an installation needs: what their users would run at install time. */
const installers =
  /^(adduser|debconf|dpkg|init-system-helpers|libpam|libperl|passwd|perl|ucf|sensible-utils)/;

/** Folders that no program reads at run time: half of the space. */
const needless = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/info',
  'usr/share/lintian',
];

/** How long one step of apt may take, milliseconds: a mirror that no longer answers must not stop everything. */
const fetchMs = 600_000;

const keyrings = ['pgp', 'gpg'].map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`);

const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * The root folder of the tree, fetched from the mirror this machine's apt uses unless the cache has it.
 * @throws ServersUnavailable when this is no Debian on amd64 or arm64, apt is missing, or the network is away.
 */
export async function tree(request: TreeRequest, onProgress: OnProgress = () => {}): Promise<string> {
  const { name, suite, packages } = request;
  const hash = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 8);
  const label = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return cached(join('debian', `${suite}-${process.arch}`, `${label}-${hash}`), async (root) => {
    const mirror = await hostMirror();
    const apt = `${root}.apt`;
    try {
      onProgress({ name, step: 'list', done: 0, total: 0 });
      const env = await privateApt(apt, mirror, suite);
      await aptGet(request, env, ['update', '--error-on=any']);
      await download(request, env, apt, onProgress);
      await unpack(request, join(apt, 'archives'), root, onProgress);
    } finally {
      await rm(apt, { recursive: true, force: true });
    }
  });
}

/** The folder names under `lib` of this machine's architecture. @throws ServersUnavailable on another one. */
export function triplet(arch: string = process.arch): string {
  const found = process.platform === 'linux' ? triplets[arch] : undefined;
  if (!found) throw new ServersUnavailable(`No server packages for ${process.platform}/${arch}`);
  return found;
}

/** The URI of the Debian mirror in the host's own apt configuration. */
async function hostMirror(): Promise<string> {
  triplet();
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^ID=debian$/m.test(system))
    throw new ServersUnavailable('Fetching servers needs Debian, and this is another system');
  if (!(await keyring())) throw new ServersUnavailable('The package debian-archive-keyring is not installed');
  const format = '$(ORIGIN)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']).catch(
    (error: unknown) => {
      throw new ServersUnavailable('apt-get does not run on this machine', error);
    },
  );
  const targets = stdout.split('\n').map((line) => line.split('|'));
  // The origin is known only after a first "apt-get update" on the host; a fresh container never had one.
  const debian = targets.filter(([origin, , , uri]) => origin === 'Debian' || /\/debian\/?$/.test(uri ?? ''));
  const mirror = debian.find(
    ([, component, release]) => component === 'main' && !/[-/]/.test(release ?? '-'),
  )?.[3];
  if (!mirror) throw new ServersUnavailable('apt has no Debian mirror among its sources');
  return mirror;
}

async function keyring(): Promise<string | undefined> {
  for (const path of keyrings) if (await exists(path)) return path;
  return undefined;
}

/** Writes an apt configuration below `folder` that shares nothing with the host but the way to the mirror. */
async function privateApt(folder: string, mirror: string, suite: string): Promise<NodeJS.ProcessEnv> {
  for (const part of ['state/lists/partial', 'archives/partial', 'sources', 'empty']) {
    await mkdir(join(folder, part), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  // An old mirror snapshot is as good as a fresh one here, so its age is no reason to refuse it.
  const options = `signed-by=${await keyring()} check-valid-until=no`;
  await writeFile(join(folder, 'sources', 'debian.list'), `deb [${options}] ${mirror} ${suite} main\n`);
  const { stdout } = await run('apt-config', ['dump']);
  const settings = [
    // Proxies and time limits of the host; its other settings (hooks that clean caches!) stay out.
    ...stdout.split('\n').filter((line) => /^Acquire::(http|https|ftp|Retries|ForceIPv|Proxy)/i.test(line)),
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::State::Lists "${folder}/state/lists";`,
    `Dir::Cache "${folder}";`,
    `Dir::Cache::archives "${folder}/archives";`,
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "${folder}/empty";`,
    `Dir::Etc::sourcelist "/dev/null";`,
    `Dir::Etc::sourceparts "${folder}/sources";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "${folder}/empty";`,
    `Dir::Log "${folder}";`,
    'APT::Sandbox::User "";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Debug::NoLocking "true";',
  ];
  await writeFile(join(folder, 'apt.conf'), `${settings.join('\n')}\n`);
  return {
    ...process.env,
    APT_CONFIG: join(folder, 'apt.conf'),
    LC_ALL: 'C',
    DEBIAN_FRONTEND: 'noninteractive',
  };
}

async function aptGet({ name, suite }: TreeRequest, env: NodeJS.ProcessEnv, args: string[]): Promise<string> {
  try {
    const options = { env, maxBuffer: 1 << 24, timeout: fetchMs };
    return (await run('apt-get', ['-q', '-y', ...args], options)).stdout;
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const reason =
      output.split('\n').find((line) => line.startsWith('E:')) ?? output.trim().split('\n')[0] ?? '';
    throw new ServersUnavailable(`${name} could not be fetched from Debian ${suite} (${reason})`, error);
  }
}

async function download(
  request: TreeRequest,
  env: NodeJS.ProcessEnv,
  apt: string,
  onProgress: OnProgress,
): Promise<void> {
  const install = ['install', ...request.packages, 'libc6'];
  // Lines of --print-uris: 'URI' FILE SIZE HASH
  const uris = await aptGet(request, env, ['--print-uris', ...install]);
  const total = [...uris.matchAll(/^'\S+' \S+ (\d+) /gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  const report = async () => {
    onProgress({ name: request.name, step: 'download', done: await bytesIn(join(apt, 'archives')), total });
  };
  await report();
  const timer = setInterval(() => void report(), 500);
  try {
    await aptGet(request, env, ['--download-only', ...install]);
  } finally {
    clearInterval(timer);
  }
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  // A file may be renamed between the listing and the look at it.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (s) => (s.isFile() ? s.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function unpack(
  request: TreeRequest,
  archives: string,
  root: string,
  onProgress: OnProgress,
): Promise<void> {
  const files = (await readdir(archives)).filter((file) => file.endsWith('.deb') && !installers.test(file));
  const total = await bytesIn(archives);
  onProgress({ name: request.name, step: 'unpack', done: 0, total });
  for (const file of files) {
    await run('dpkg-deb', ['-x', join(archives, file), root]).catch((error: unknown) => {
      throw new ServersUnavailable(`${request.name} could not be unpacked (${file})`, error);
    });
  }
  for (const folder of needless) await rm(join(root, folder), { recursive: true, force: true });
}
