/** Real servers with the configuration of `deploy/`, changed only where another folder or a free port must be. */

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { linkData, trunkHost } from '../servers/asterisk.ts';
import { tree, triplet } from '../servers/debian.ts';
import { erlang } from '../servers/ejabberd.ts';
import { runFolder } from '../servers/folders.ts';
import { accepts, freePort, loopback } from '../servers/ports.ts';
import { type Command, fromTree } from '../servers/process.ts';
import { findSoftware } from '../servers/prosody.ts';
import { type Server, startServer } from '../servers/server.ts';
import { asteriskTrees, ejabberdTrees, redisTree } from '../servers/trees.ts';

const run = promisify(execFile);
const deploy = join(import.meta.dirname, '..', '..', 'deploy');

/** Variables as docker-compose.yml passes them on. */
type Env = Readonly<Record<string, string>>;

/** A file of `deploy/` with texts replaced. Throws where one of them is not in it (any more). */
async function deployed(path: string, changes: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(deploy, path), 'utf8');
  return Object.entries(changes).reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`deploy/${path} does not hold '${from}'`);
    return changed.replaceAll(from, to);
  }, text);
}

/** Prosody; `version` as in `servers/trees.ts`. */
export async function prosody(version: '0.12' | '13', env: Env): Promise<Server & { port: number }> {
  const folder = await runFolder('deploy-prosody');
  const [c2s, port] = [await freePort(), await freePort()];
  const config = join(folder.path, 'prosody.cfg.lua');
  await mkdir(join(folder.path, 'certs'));
  const text = await deployed('prosody/prosody.cfg.lua', {
    '/tmp/prosody.pid': join(folder.path, 'prosody.pid'),
    '/var/lib/prosody': join(folder.path, 'data'),
    'component_ports = { 5347 }': `component_ports = { ${port} }`,
    'storage = "internal"': `storage = "internal"; run_as_root = true; c2s_ports = { ${c2s} }; c2s_direct_tls_ports = {}`,
  });
  await writeFile(config, text);
  const unused = { domain: '', users: [], component: { jid: '', secret: '' } };
  const software = await findSoftware({ ...unused, version }, folder);
  const command = await software.command(config);
  const server = await startServer({
    version: software.version,
    folder,
    host: loopback,
    command: { ...command, env: { ...command.env, ...env } },
    ready: () => accepts(port),
  });
  return Object.assign(server, { port });
}

/** ejabberd 24.12, the first that reads macros from the environment. */
export async function ejabberd(env: Env): Promise<Server & { port: number }> {
  const root = await tree(ejabberdTrees['24']);
  const folder = await runFolder('deploy-ejabberd');
  const [c2s, port] = [await freePort(), await freePort()];
  const config = join(folder.path, 'ejabberd.yml');
  const text = await deployed('ejabberd/ejabberd.yml', {
    'port: 5222': `port: ${c2s}`,
    'port: 5347\n': `port: ${port}\n`,
  });
  await writeFile(config, text);
  const command = await erlang(root, folder.path, config);
  const server = await startServer({
    version: 'ejabberd 24',
    folder,
    host: loopback,
    command: { ...command, env: { ...command.env, ...env } },
    ready: () => accepts(port),
  });
  return Object.assign(server, { port });
}

/** An Asterisk with the configuration of `deploy/asterisk`. */
export interface DeployedAsterisk extends Server {
  /** AMI. */
  readonly port: number;
  readonly sipPort: number;
  /** Where it sends calls to the outside: this port of `trunkHost`. */
  readonly trunkPort: number;
  /** Folder of what callers recorded. */
  readonly spool: string;
  /** Output of a command of its console. */
  cli(command: string): Promise<string>;
}

/** Asterisk 22 by `start.sh`, with Debian's own samples for the files that `deploy/` does not have, as the Dockerfile leaves them. */
export async function asterisk(env: Env): Promise<DeployedAsterisk> {
  const root = await tree(asteriskTrees['22']);
  const { path, remove } = await runFolder('deploy-asterisk');
  const [port, sipPort, trunkPort] = [await freePort(), await freePort(), await freePort(trunkHost)];
  const at = (name: string) => join(path, name);
  for (const name of ['run', 'state', 'lib', 'bin', 'share/sounds', 'share/keys'])
    await mkdir(at(name), { recursive: true });
  await linkData(root, at('share'));
  await cp(join(root, 'etc/asterisk'), at('etc'), { recursive: true });
  await rm(at('etc/users.conf'));
  const changes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'asterisk.conf': {
      'astetcdir => /etc/asterisk': `astetcdir => ${at('etc')}\nastmoddir => ${join(root, 'usr/lib', triplet(), 'asterisk/modules')}`,
      '=> /var/lib/asterisk': `=> ${at('lib')}`,
      '=> /usr/share/asterisk': `=> ${at('share')}`,
      '/var/lib/offhook-asterisk': at('state'),
      '/run/asterisk': at('run'),
      'astlogdir => /tmp': `astlogdir => ${path}`,
    },
    'manager.conf': { '0.0.0.0\nport = 5038': `${loopback}\nport = ${port}`, '/run/asterisk': at('run') },
    'pjsip.conf': { '0.0.0.0:5060': `${loopback}:${sipPort}`, '/run/asterisk': at('run') },
    'voicemail.conf': { '/run/asterisk': at('run') },
  };
  for (const name of (await readdir(join(deploy, 'asterisk'))).filter((each) => each.endsWith('.conf'))) {
    await writeFile(join(at('etc'), name), await deployed(`asterisk/${name}`, changes[name] ?? {}));
  }
  const trunk = await deployed('asterisk/trunk.example.conf', {
    'sip.example.com:5060': `${trunkHost}:${trunkPort}`,
    '192.0.2.1': trunkHost,
  });
  await writeFile(at('etc/trunk.conf'), trunk);
  const { program, args } = await fromTree(root, 'usr/sbin/asterisk', []);
  const words = [program, ...args].map((word) => `'${word}'`).join(' ');
  await writeFile(at('bin/asterisk'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  const command: Command = {
    program: '/bin/sh',
    args: [join(deploy, 'asterisk/start.sh'), '-n'],
    cwd: path,
    env: {
      PATH: `${at('bin')}:/usr/bin:/bin`,
      HOME: path,
      ASTERISK_RUN: at('run'),
      ASTERISK_STATE: at('state'),
      ASTERISK_CONF: at('etc/asterisk.conf'),
      ...env,
    },
  };
  const cli = async (line: string) => {
    const console = await fromTree(root, 'usr/sbin/asterisk', ['-nrx', line, '-C', at('etc/asterisk.conf')]);
    const { stdout } = await run(console.program, console.args, { env: { HOME: path }, timeout: 30_000 });
    return stdout;
  };
  const folder = { path, remove };
  const server = await startServer({
    version: 'Asterisk 22',
    folder,
    host: loopback,
    command,
    ready: async () => (await accepts(port)) && /fully booted/i.test(await cli('core waitfullybooted')),
  });
  return Object.assign(server, { port, sipPort, trunkPort, spool: at('state/spool'), cli });
}

/** Redis, by the command that docker-compose.yml gives; `shell` is its third word. */
export async function redis(shell: string, env: Env): Promise<Server & { port: number }> {
  const root = await tree(redisTree);
  const folder = await runFolder('deploy-redis');
  const port = await freePort();
  const config = join(folder.path, 'redis.conf');
  const text = await deployed('redis/redis.conf', {
    'dir /data': `dir ${folder.path}\nport ${port}`,
    'bind * -::*': `bind ${loopback}`,
  });
  await writeFile(config, text);
  const { program, args } = await fromTree(root, 'usr/bin/redis-server', []);
  await mkdir(join(folder.path, 'bin'));
  const inFolder = shell
    .replaceAll('$$', '$')
    .replaceAll('/tmp/', `${folder.path}/all-`)
    .replace('/etc/redis/redis.conf', config);
  const words = [program, ...args].map((word) => `'${word}'`).join(' ');
  await writeFile(join(folder.path, 'bin/redis-server'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  const server = await startServer({
    version: 'Redis',
    folder,
    host: loopback,
    command: {
      program: '/bin/sh',
      args: ['-c', inFolder],
      cwd: folder.path,
      env: { PATH: `${join(folder.path, 'bin')}:/usr/bin:/bin`, ...env },
    },
    ready: () => accepts(port),
  });
  return Object.assign(server, { port });
}
