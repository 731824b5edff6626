/** A real MariaDB in a folder of its own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnProgress, tree } from './debian.ts';
import { runFolder } from './folders.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { fromTree, start } from './process.ts';
import { type Server, startServer } from './server.ts';
import { mariadbTree } from './trees.ts';

/** A running MariaDB. */
export interface MariadbServer extends Server {
  readonly port: number;
  /** `mysql://…`, of a user who may do everything; its database is empty. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The tables of the server itself, in the order in which its own installer makes them. */
const systemTables = [
  'mysql_system_tables.sql',
  'mysql_performance_tables.sql',
  'mysql_system_tables_data.sql',
];
const [user, password, database] = ['archive', 'secret', 'archive'];

/**
 * Starts MariaDB with an empty database.
 * @throws ServersUnavailable when it cannot be fetched; Error with its output when it does not start.
 */
export async function startMariadb(
  options: { readonly onProgress?: OnProgress } = {},
): Promise<MariadbServer> {
  const root = await tree(mariadbTree, options.onProgress);
  const folder = await runFolder('mariadb');
  const port = await freePort();
  const share = join(root, 'usr/share/mysql');
  const data = join(folder.path, 'data');
  await mkdir(data);
  const usual = [
    '--no-defaults',
    `--datadir=${data}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-log-file-size=4M',
    '--innodb-buffer-pool-size=32M',
    '--skip-innodb-doublewrite',
    '--innodb-use-native-aio=0',
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
  const mariadbd = (args: readonly string[]) => fromTree(root, 'usr/sbin/mariadbd', [...usual, ...args]);
  const scripts = await Promise.all(systemTables.map((name) => readFile(join(share, name), 'utf8')));
  const installing = start(await mariadbd(['--bootstrap', '--log-warnings=0']));
  installing.write(['CREATE DATABASE mysql;', 'USE mysql;', ...scripts].join('\n'));
  installing.end();
  if ((await installing.ended) !== 0) throw new Error(`mariadbd failed: ${installing.log().slice(-2000)}`);
  const first = join(folder.path, 'first.sql');
  await writeFile(
    first,
    [
      `CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4;`,
      `CREATE USER IF NOT EXISTS '${user}'@'%' IDENTIFIED BY '${password}';`,
      `GRANT ALL ON *.* TO '${user}'@'%' WITH GRANT OPTION;`,
      '',
    ].join('\n'),
  );
  const server = await startServer({
    version: 'MariaDB',
    folder,
    host: loopback,
    command: await mariadbd([
      `--bind-address=${loopback}`,
      `--port=${port}`,
      `--socket=${join(folder.path, 'socket')}`,
      `--pid-file=${join(folder.path, 'pid')}`,
      `--init-file=${first}`,
    ]),
    ready: () => accepts(port),
  });
  const url = `mysql://${user}:${password}@${loopback}:${port}/${database}`;
  return Object.assign(server, { port, url, user, password, database });
}
