/** A real ejabberd in a folder of its own: the Erlang machine of the tree, no node name, so no epmd. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tree, triplet } from './debian.ts';
import { ejabberdConfig } from './ejabberd-config.ts';
import { runFolder } from './folders.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { type Command, fromTree } from './process.ts';
import { startServer } from './server.ts';
import { runSqlite } from './sqlite.ts';
import { ejabberdSqlTree, ejabberdTrees } from './trees.ts';
import type { XmppOptions, XmppServer, XmppUser } from './xmpp.ts';

/** What ejabberd can be told beyond what both XMPP servers can. */
export interface EjabberdOptions extends XmppOptions {
  /** Default: 23. COMPAT: 24 with `privilege` delegates nothing, its mod_privilege drops the component's answers. */
  readonly version?: keyof typeof ejabberdTrees;
  /** Keeps message archives in SQLite: `archive.sqlite` below {@link EjabberdServer.path}. Version 23 only. */
  readonly sql?: boolean;
  /** An upload service (XEP-0363) `upload.DOMAIN` that the component may use. */
  readonly upload?: boolean;
  /** YAML for the end of the configuration file, top level. */
  readonly extraConfig?: string;
}

/** A running ejabberd. */
export interface EjabberdServer extends XmppServer {
  /** Where the API is, without a slash at the end. */
  readonly apiUrl: string;
  /** Its run folder. */
  readonly path: string;
  /**
   * Calls a command of ejabberd's API (mod_http_api), with the JSON body it wants: `api('add_rosteritem', {…})`.
   * @throws Error with the server's text if it refuses.
   */
  api(command: string, body: object): Promise<unknown>;
}

/**
 * Starts ejabberd with one host and a listener for one component.
 * @throws ServersUnavailable when it cannot be fetched; Error with its output when it does not start.
 */
export async function startEjabberd(options: EjabberdOptions): Promise<EjabberdServer> {
  const root = await tree(
    options.sql ? ejabberdSqlTree : ejabberdTrees[options.version ?? '23'],
    options.onProgress,
  );
  const folder = await runFolder('ejabberd');
  const ports = { c2s: await freePort(), component: await freePort(), http: await freePort() };
  if (options.sql) await makeTables(root, join(folder.path, 'archive.sqlite'));
  const config = join(folder.path, 'ejabberd.yml');
  await writeFile(config, ejabberdConfig(options, ports, folder.path));
  const apiUrl = `http://${loopback}:${ports.http}/api`;
  const api = (command: string, body: object) => call(`${apiUrl}/${command}`, body);
  const server = await startServer({
    version: await version(root),
    folder,
    host: loopback,
    command: await erlang(root, folder.path, config),
    ready: async () =>
      (await accepts(ports.c2s)) && (await accepts(ports.component)) && (await accepts(ports.http)),
  });
  const { domain, component } = options;
  const adduser = async ({ name, password }: XmppUser) => {
    await api('register', { user: name, host: domain, password });
  };
  try {
    for (const user of options.users) await adduser(user);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return Object.assign(server, {
    domain,
    component,
    c2sPort: ports.c2s,
    componentPort: ports.component,
    adduser,
    apiUrl,
    api,
    path: folder.path,
  });
}

/** ejabberd makes no tables by itself; its package has them in a file. */
async function makeTables(root: string, database: string): Promise<void> {
  const tables = await readFile(join(root, 'usr/share/ejabberd/sql/lite.sql'), 'utf8');
  await runSqlite(database, `PRAGMA journal_mode=WAL;\n${tables}`);
}

async function call(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}

async function version(root: string): Promise<string> {
  const names = await readdir(join(root, 'usr/lib', triplet()));
  return names.find((name) => /^ejabberd-[\d.]+$/.test(name))?.replace('-', ' ') ?? 'ejabberd';
}

/** The call that `erlexec` would make; it would run beam.smp by the host's loader. */
export async function erlang(root: string, run: string, config: string): Promise<Command> {
  const home = join(root, 'usr/lib/erlang');
  const release = (await readdir(home)).find((name) => name.startsWith('erts-')) ?? 'erts';
  const real = join('usr/lib/erlang', release, 'bin');
  const bin = join(run, 'bin');
  await mkdir(bin);
  for (const program of ['erl_child_setup', 'inet_gethost']) {
    const { program: loader, args } = await fromTree(root, join(real, program), []);
    const words = [loader, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
    await writeFile(join(bin, program), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  // Waiting schedulers shall sleep, not spin: others work on this machine, too.
  const machine = ['-K', 'true', '-sbwt', 'none', '-sbwtdcpu', 'none', '-sbwtdio', 'none'];
  const boot = ['--', '-root', home, '-bindir', bin, '-progname', 'erl', '--', '-home', run, '--'];
  const application = ['-noinput', '-mnesia', 'dir', JSON.stringify(join(run, 'mnesia')), '-s', 'ejabberd'];
  const command = await fromTree(root, join(real, 'beam.smp'), [...machine, ...boot, ...application]);
  return {
    ...command,
    cwd: run,
    env: {
      ROOTDIR: home,
      BINDIR: bin,
      EMU: 'beam',
      PROGNAME: 'erl',
      HOME: run,
      ERL_LIBS: join(root, 'usr/lib', triplet()),
      ERL_CRASH_DUMP: join(run, 'erl_crash.dump'),
      EJABBERD_CONFIG_PATH: config,
      EJABBERD_LOG_PATH: join(run, 'ejabberd.log'),
    },
  };
}
