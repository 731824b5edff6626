/** A real Redis in a folder of its own. */
import { authority, certificate } from './certificate.ts';
import { type OnProgress, tree } from './debian.ts';
import { runFolder } from './folders.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { fromTree } from './process.ts';
import { type Server, startServer } from './server.ts';
import { redisTree } from './trees.ts';

/** How Redis shall run. */
export interface RedisOptions {
  /** What clients must AUTH with. Default: none. */
  readonly password?: string;
  /** Serves TLS instead of plain TCP, with a certificate for 127.0.0.1. Default: false. */
  readonly tls?: boolean;
  /** Default: a free one. */
  readonly port?: number;
  readonly onProgress?: OnProgress;
}

/** A running Redis. */
export interface RedisServer extends Server {
  readonly port: number;
  /** `redis://…` or `rediss://…` with the password in it. */
  readonly url: string;
  /** PEM of the authority to trust, if it serves TLS. */
  readonly ca?: string;
}

/**
 * Starts Redis. Its data survives {@link Server.restart} (which ends it in order), not {@link Server.kill}.
 * @throws ServersUnavailable when it cannot be fetched; Error with its output when it does not start.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const root = await tree(redisTree, options.onProgress);
  const folder = await runFolder('redis');
  const port = options.port ?? (await freePort());
  const args = [
    '--bind',
    loopback,
    '--dir',
    folder.path,
    '--save',
    '900',
    '1',
    '--appendonly',
    'no',
    '--daemonize',
    'no',
  ];
  if (options.password) args.push('--requirepass', options.password);
  let ca: string | undefined;
  if (options.tls) {
    const issuer = await authority(folder.path);
    const { cert, key } = await certificate(issuer, 'redis', [loopback]);
    ca = issuer.pem;
    args.push('--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no');
    args.push('--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', issuer.cert);
  } else {
    args.push('--port', `${port}`);
  }
  const server = await startServer({
    version: 'Redis',
    folder,
    host: loopback,
    command: { ...(await fromTree(root, 'usr/bin/redis-server', args)), cwd: folder.path },
    ready: () => accepts(port),
  });
  const login = options.password ? `:${encodeURIComponent(options.password)}@` : '';
  const url = `redis${options.tls ? 's' : ''}://${login}${loopback}:${port}`;
  const version = `Redis ${/Redis version=([\d.]+)/.exec(server.log())?.[1] ?? ''}`.trim();
  return Object.assign(server, { version, port, url, ...(ca === undefined ? {} : { ca }) });
}
