/** A real Prosody in a folder of its own. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { tree, triplet } from './debian.ts';
import { type RunFolder, runFolder } from './folders.ts';
import type { MariadbServer } from './mariadb.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { type Command, fromTree } from './process.ts';
import { prosodyConfig } from './prosody-config.ts';
import { startServer } from './server.ts';
import { prosodySqlTree, prosodyTrees } from './trees.ts';
import type { XmppOptions, XmppServer, XmppUser } from './xmpp.ts';

/** What Prosody can be told beyond what both XMPP servers can. */
export interface ProsodyOptions extends XmppOptions {
  /** Which one to fetch. Default: 0.12. */
  readonly version?: keyof typeof prosodyTrees;
  /** The module that keeps vCards; `vcard_legacy` is what Prosody is configured with as it comes. Default: `vcard`. */
  readonly cards?: 'vcard' | 'vcard_legacy';
  /**
   * Whether to run the Prosody that is installed on this machine, with our configuration and data: `auto` does if there is one.
   * Default: false, for tests that are the same everywhere.
   */
  readonly installed?: boolean | 'auto';
  /** What happens when a second component connects with the same JID (`component_conflict_resolve`). Default: kick_old. */
  readonly conflict?: 'kick_old' | 'kick_new';
  /** Lua for the part of the configuration file that is about all hosts. */
  readonly globalConfig?: string;
  /** Lua for the host's section of the configuration file. */
  readonly hostConfig?: string;
  /** Keeps message archives in SQLite (true: `data/prosody.sqlite` below {@link ProsodyServer.path}) or in MariaDB. Version 0.12 only. */
  readonly sql?: true | Pick<MariadbServer, 'host' | 'port' | 'user' | 'password' | 'database'>;
  /** Lua for the component's section of the configuration file. */
  readonly componentConfig?: string;
}

/** A running Prosody. */
export interface ProsodyServer extends XmppServer {
  /** Its run folder. */
  readonly path: string;
}

interface Software {
  readonly version: string;
  /** Where the modules are. */
  readonly plugins: readonly string[];
  command(config: string): Promise<Command>;
}

/**
 * Starts Prosody with one host and one component.
 * @throws ServersUnavailable when it can neither be found nor fetched; Error with its output when it does not start.
 */
export async function startProsody(options: ProsodyOptions): Promise<ProsodyServer> {
  const folder = await runFolder('prosody');
  const software = await findSoftware(options, folder).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const [c2sPort, componentPort] = [await freePort(), await freePort()];
  const accounts = join(folder.path, 'data', encodeName(options.domain), 'accounts');
  await mkdir(accounts, { recursive: true });
  // Prosody's internal storage: one Lua table per account, read at each login.
  const adduser = async ({ name, password }: XmppUser) => {
    await writeFile(
      join(accounts, `${encodeName(name)}.dat`),
      `return { ["password"] = ${luaString(password)}; };\n`,
    );
  };
  for (const user of options.users) await adduser(user);
  const config = join(folder.path, 'prosody.cfg.lua');
  const ports = { c2s: c2sPort, component: componentPort };
  await writeFile(config, prosodyConfig(options, { run: folder.path, plugins: software.plugins, ports }));
  const server = await startServer({
    version: software.version,
    folder,
    host: loopback,
    command: await software.command(config),
    ready: async () => (await accepts(c2sPort)) && (await accepts(componentPort)),
  });
  const { domain, component } = options;
  return Object.assign(server, { domain, component, c2sPort, componentPort, adduser, path: folder.path });
}

/** The installed Prosody, if there is one. */
export function installedProsody(path: string = process.env.PATH ?? ''): string | undefined {
  return [...path.split(delimiter), '/usr/bin']
    .map((entry) => join(entry, 'prosody'))
    .find((file) => existsSync(file));
}

/** Finds or fetches a Prosody; `command` of the answer runs it with a configuration file. */
export async function findSoftware(options: ProsodyOptions, folder: RunFolder): Promise<Software> {
  const program = options.installed ? installedProsody() : undefined;
  if (!program && options.installed === true)
    throw new Error('No Prosody is installed: leave out the option "installed"');
  return program ? installedSoftware(program) : fetchedSoftware(options, folder);
}

function installedSoftware(program: string): Software {
  return {
    version: 'Prosody (installed)',
    plugins: [],
    command: async (config) => ({ program, args: ['-F', '--config', config] }),
  };
}

async function fetchedSoftware(options: ProsodyOptions, folder: RunFolder): Promise<Software> {
  const root = await tree(
    options.sql ? prosodySqlTree : prosodyTrees[options.version ?? '0.12'],
    options.onProgress,
  );
  const source = join(root, 'usr/lib/prosody');
  const version = await readFile(join(source, 'prosody.version'), 'utf8');
  return {
    version: `Prosody ${version.trim()}`,
    plugins: [join(source, 'modules')],
    async command(config) {
      const script = join(folder.path, 'prosody.lua');
      await writeFile(
        script,
        relocate(await readFile(join(root, 'usr/bin/prosody'), 'utf8'), source, folder.path),
      );
      const lua = await fromTree(root, 'usr/bin/lua5.4', [script, '-F', '--config', config]);
      const shared = join(root, 'usr/share/lua/5.4');
      return {
        ...lua,
        env: {
          LUA_PATH: [source, shared].flatMap((path) => [`${path}/?.lua`, `${path}/?/init.lua`]).join(';'),
          LUA_CPATH: [source, join(root, 'usr/lib', triplet(), 'lua/5.4')]
            .map((path) => `${path}/?.so`)
            .join(';'),
        },
      };
    },
  };
}

/** The start script with the folders of the package replaced by the tree's and the run folder's. */
function relocate(script: string, source: string, run: string): string {
  const folders = { SOURCE: source, CONFIG: run, PLUGIN: join(source, 'modules'), DATA: join(run, 'data') };
  return Object.entries(folders).reduce(
    (text, [key, path]) =>
      text.replace(new RegExp(`^CFG_${key}DIR=.*$`, 'm'), `CFG_${key}DIR=${luaString(path)};`),
    script,
  );
}

/** File names of Prosody's internal storage (util/datamanager.lua): everything but letters and digits as %xx. */
function encodeName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => String.fromCharCode(byte))
    .map((char) => (/[A-Za-z0-9]/.test(char) ? char : `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`))
    .join('');
}

function luaString(text: string): string {
  return JSON.stringify(text);
}
