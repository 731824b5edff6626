/** A real Asterisk in a folder of its own, configured as a small PBX (see asterisk/). */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asteriskConfig, type Extension, type ManagerAccount, office } from './asterisk-config.ts';
import { authority, certificate } from './certificate.ts';
import { type OnProgress, tree, triplet } from './debian.ts';
import { type RunFolder, runFolder } from './folders.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { fromTree } from './process.ts';
import { type Server, startServer } from './server.ts';
import { asteriskTrees } from './trees.ts';

const run = promisify(execFile);

/** Where the telephone company is: its SIP messages come from here. */
export const trunkHost = '127.0.0.2';

/** How Asterisk shall run. */
export interface AsteriskOptions {
  /** Default: 22. */
  readonly version?: keyof typeof asteriskTrees;
  /** Who has a phone. Default: {@link office}. */
  readonly extensions?: readonly Omit<Extension, 'password'>[];
  /** AMI accounts besides `control` and `feed`, or instead of them when of the same name. */
  readonly managers?: readonly ManagerAccount[];
  /** Serves AMI with TLS on a further port. Default: false. */
  readonly tls?: boolean;
  /** Files of the configuration folder to add or to replace, by name: `{ 'queues.conf': '…' }`. */
  readonly extraFiles?: Readonly<Record<string, string>>;
  readonly onProgress?: OnProgress;
}

/** What to log in to AMI with. */
export interface ManagerLogin {
  readonly username: string;
  readonly secret: string;
}

/** A running Asterisk. */
export interface AsteriskServer extends Server {
  /** AMI over plain TCP. */
  readonly amiPort: number;
  /** AMI over TLS: its port and the PEM of the authority to trust. */
  readonly tls?: { readonly port: number; readonly ca: string };
  /** `control` acts and gets only what answers it; `feed` reads everything and can change nothing. */
  readonly managers: { readonly control: ManagerLogin; readonly feed: ManagerLogin };
  /** SIP over UDP. */
  readonly sipPort: number;
  /** Where it sends calls to the outside: this port of {@link trunkHost}. */
  readonly trunkPort: number;
  /** The phones that may register, by extension. */
  readonly extensions: ReadonlyMap<string, Extension>;
  /** Output of a command of its console: `cli('core show channels')`. */
  cli(command: string): Promise<string>;
}

/**
 * Starts Asterisk and waits until it is fully booted.
 * @throws ServersUnavailable when it cannot be fetched; Error with its output when it does not start.
 */
export async function startAsterisk(options: AsteriskOptions = {}): Promise<AsteriskServer> {
  const release = options.version ?? '22';
  const root = await tree(asteriskTrees[release], options.onProgress);
  const folder = await runFolder('asterisk');
  await layOut(root, folder);
  const ports = { ami: await freePort(), sip: await freePort(), trunk: await freePort(trunkHost) };
  const extensions = (options.extensions ?? office).map((entry) => ({ ...entry, password: secret() }));
  const managers = {
    control: { username: 'control', secret: secret() },
    feed: { username: 'feed', secret: secret() },
  };
  const tls = options.tls ? await tlsListener(folder) : undefined;
  const etc = join(folder.path, 'etc');
  const files = await asteriskConfig({
    run: folder.path,
    modules: moduleFolder(root),
    ports,
    extensions,
    managers,
    moreManagers: options.managers ?? [],
    ...(tls && { tls }),
  });
  for (const [name, text] of Object.entries({ ...files, ...options.extraFiles }))
    await writeFile(join(etc, name), text);

  const command = async (...args: string[]) => ({
    ...(await fromTree(root, 'usr/sbin/asterisk', [...args, '-C', join(etc, 'asterisk.conf')])),
    env: { HOME: folder.path, PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    cwd: folder.path,
  });
  const cli = async (line: string) => {
    const { program, args, env, cwd } = await command('-nrx', line);
    return (await run(program, args, { env, cwd, timeout: 30_000 })).stdout;
  };
  const server = await startServer({
    version: `Asterisk ${release}`,
    folder,
    host: loopback,
    command: await command('-nf'),
    ready: async () => (await accepts(ports.ami)) && /fully booted/i.test(await cli('core waitfullybooted')),
  });
  const version = /^Asterisk [\d.]+/.exec(await cli('core show version'))?.[0] ?? server.version;
  return Object.assign(server, {
    version,
    amiPort: ports.ami,
    ...(tls && { tls: { port: tls.port, ca: tls.ca } }),
    managers,
    sipPort: ports.sip,
    trunkPort: ports.trunk,
    extensions: new Map(extensions.map((entry) => [entry.number, entry])),
    cli,
  });
}

/** COMPAT: Debian 11 has the modules outside of the architecture's folder. */
function moduleFolder(root: string): string {
  const folder = join(root, 'usr/lib', triplet(), 'asterisk/modules');
  return existsSync(folder) ? folder : join(root, 'usr/lib/asterisk/modules');
}

/** The folders that asterisk.conf names, with sounds, music and documentation linked from the tree. */
async function layOut(root: string, folder: RunFolder): Promise<void> {
  for (const name of ['etc', 'run', 'log', 'agi', 'cache', 'spool', 'lib/keys', 'share/sounds']) {
    await mkdir(join(folder.path, name), { recursive: true });
  }
  await linkData(root, join(folder.path, 'share'));
}

/** A data folder with what the tree has; its `sounds` is there. The package's scripts, which choose a voice, have not run. */
export async function linkData(root: string, to: string): Promise<void> {
  const data = join(root, 'usr/share/asterisk');
  for (const name of ['documentation', 'moh']) await symlink(join(data, name), join(to, name));
  const voice = (await readdir(join(data, 'sounds'))).find((name) => name.startsWith('en_US')) ?? 'en';
  await symlink(join(data, 'sounds', voice), join(to, 'sounds/en'));
}

async function tlsListener(folder: RunFolder) {
  const issuer = await authority(folder.path);
  const { cert, key } = await certificate(issuer, 'ami', [loopback, 'localhost']);
  // COMPAT: Asterisk wants both in one file, whatever tlsprivatekey says.
  const both = join(folder.path, 'ami.both.pem');
  await writeFile(both, `${await readFile(cert, 'utf8')}${await readFile(key, 'utf8')}`, { mode: 0o600 });
  return { port: await freePort(), certificate: both, ca: issuer.pem };
}

function secret(): string {
  return randomBytes(12).toString('base64url');
}
