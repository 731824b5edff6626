/** A real PostgreSQL in a folder of its own. */
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { type OnProgress, tree } from './debian.ts';
import { runFolder } from './folders.ts';
import { freePort, loopback } from './ports.ts';
import { type Command, fromTree, start } from './process.ts';
import { type Server, startServer } from './server.ts';
import { postgresTree } from './trees.ts';

/** A running PostgreSQL. */
export interface PostgresServer extends Server {
  /** `postgres://…`, of a user who may do everything. */
  readonly url: string;
}

const home = 'usr/lib/postgresql/15';

/**
 * Starts PostgreSQL with an empty database.
 * @throws ServersUnavailable when it cannot be fetched; Error with its output when it does not start.
 */
export async function startPostgres(
  options: { readonly onProgress?: OnProgress } = {},
): Promise<PostgresServer> {
  const root = await tree(postgresTree, options.onProgress);
  const folder = await runFolder('postgres');
  const port = await freePort();
  // It looks for its parts beside its own program, by the folders' names.
  const bin = join(folder.path, home, 'bin');
  await mkdir(bin, { recursive: true });
  await mkdir(join(folder.path, 'usr/share'));
  await symlink(join(root, home, 'lib'), join(folder.path, home, 'lib'));
  await symlink(join(root, 'usr/share/postgresql'), join(folder.path, 'usr/share/postgresql'));
  for (const program of ['initdb', 'postgres']) await wrap(root, bin, program);
  const data = join(folder.path, 'data');
  const init = start(
    asNobody({
      program: join(bin, 'initdb'),
      args: ['-D', data, '-U', 'archive', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
      cwd: folder.path,
    }),
  );
  if ((await init.ended) !== 0) throw new Error(`initdb failed: ${init.log().slice(-2000)}`);
  const url = `postgres://archive@${loopback}:${port}/postgres`;
  const settings = ['fsync=off', 'unix_socket_directories=', `listen_addresses=${loopback}`, `port=${port}`];
  const server = await startServer({
    version: 'PostgreSQL 15',
    folder,
    host: loopback,
    command: asNobody({
      program: join(bin, 'postgres'),
      args: ['-D', data, ...settings.flatMap((each) => ['-c', each])],
      cwd: folder.path,
    }),
    ready: () => answers(url),
  });
  return Object.assign(server, { url });
}

/** It takes connections some time before it answers questions. */
async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

/** A script that runs a program of the tree as if it lay where the script does. */
async function wrap(root: string, bin: string, name: string): Promise<void> {
  const { program, args } = await fromTree(root, join(home, 'bin', name), []);
  const path = join(bin, name);
  const [library = '', libraries = '', real = ''] = args;
  const words = [program, library, libraries, '--argv0', path, real].map((word) => `'${word}'`).join(' ');
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
}

/** PostgreSQL does not run as root: in a user namespace it is somebody else, who owns the same files. */
function asNobody(command: Command): Command {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/unshare')) return command;
  const args = ['--user', '--map-user=1000', '--map-group=1000', '--', command.program, ...command.args];
  return { ...command, program: '/usr/bin/unshare', args };
}
