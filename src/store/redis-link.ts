/** A connection to Redis that comes back. One fresh ioredis client a connection: no state of a dead one lives on. */

import { Redis } from 'ioredis';
import { createBackoff } from '../backoff.ts';
import type { Log } from '../log.ts';
import { connectorTo } from './redis-connector.ts';
import { isReply, reasonOf } from './redis-reasons.ts';

/** Where Redis is and how to get in. */
export interface RedisLinkOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** ACL user; undefined = `default`. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly db: number;
  /** CA certificates in PEM; undefined = those of Node.js. */
  readonly ca?: string | undefined;
  readonly log: Log;
  /** First wait before another attempt, milliseconds; doubles up to 5 s. */
  readonly retryMs?: number;
  /** How long a connect or a command may take, milliseconds. */
  readonly timeoutMs?: number;
  /** How often an idle connection is tried, milliseconds. */
  readonly pingMs?: number;
}

/** What happens to the connection. */
export interface RedisLinkEvents {
  /** Asked on each new connection; what it throws makes the connection count as failed. */
  probe(client: Redis): Promise<void>;
  onUp(client: Redis): void;
  /** Asked now and then, also where there is nothing to write; what it throws ends the connection. */
  check(client: Redis): Promise<void>;
  /** Called after each failed attempt and each loss, with the reason in words. */
  onDown(reason: string): void;
}

/** The link; tries for ever between `start` and `stop`. */
export interface RedisLink {
  start(): void;
  stop(): Promise<void>;
  /** Gives the present connection up because of this error and makes a new one. */
  drop(error: unknown): void;
}

/** See {@link RedisLink}. None of its promises rejects. */
export function createRedisLink(options: RedisLinkOptions, events: RedisLinkEvents): RedisLink {
  const { host, port, log, retryMs = 100, timeoutMs = 5000, pingMs = 5000 } = options;
  const backoff = createBackoff({ minMs: retryMs, maxMs: Math.max(retryMs, 5000) });
  let stopped = false;
  /** The connection before, as Redis calls it. */
  let before: string[] | undefined;
  let running: Promise<void> | undefined;
  let dropCurrent: (error: unknown) => void = () => {};
  let endWait = () => {};

  async function run(): Promise<void> {
    while (!stopped) {
      const failure = await serve();
      if (stopped) return;
      events.onDown(reasonOf(failure, host, port));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, backoff.next());
        endWait = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Lives as long as one connection; resolves with what ended it. */
  async function serve(): Promise<unknown> {
    const client = createClient(options, timeoutMs);
    let failure: unknown;
    let ping: NodeJS.Timeout | undefined;
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    // The first error is the cause; what follows ("Connection is closed.") are its effects.
    client.on('error', (error) => {
      failure ??= error;
    });
    dropCurrent = (error) => {
      failure ??= error;
      client.disconnect();
    };
    try {
      await client.connect();
      await logIn(client, options);
      await endBefore(client);
      await events.probe(client);
      backoff.reset();
      events.onUp(client);
      // A peer that vanished without a word is noticed even when there is nothing to write.
      ping = setInterval(() => void events.check(client).catch(dropCurrent), pingMs);
      await ended;
    } catch (error) {
      failure ??= error;
    } finally {
      clearInterval(ping);
      // On a client that has ended it would leave a timer behind, and the process with it.
      if (client.status !== 'end') client.disconnect();
      dropCurrent = () => {};
    }
    return failure ?? new Error('Connection is closed.');
  }

  async function logIn(client: Redis, { username, password, db }: RedisLinkOptions): Promise<void> {
    if (password !== undefined) {
      await (username === undefined ? client.auth(password) : client.auth(username, password)).catch(
        (error: unknown) => {
          // AUTH without need of it: Redis 5 and before say "no password is set", later ones the rest.
          if (!/no password is set|without any password configured/.test(String(error))) throw error;
          log.warn('Redis asks for no password, but REDIS_PASSWORD is set: is this the right server?');
        },
      );
    }
    if (db !== 0) await client.select(db);
  }

  /**
   * Ends the connection before this one at Redis, too: what of it is still on its way, on a slow line or in a proxy, would undo what
   * this one writes. An account without the right, a proxy, and Redis before 6.2 go without.
   */
  async function endBefore(client: Redis): Promise<void> {
    try {
      // The id alone might be somebody else's, where Redis was restarted.
      if (before !== undefined) await client.call('CLIENT', 'KILL', ...before);
      const known = String(await client.call('CLIENT', 'INFO'));
      const [id, address] = ['id', 'addr'].map((name) => new RegExp(`\\b${name}=(\\S+)`).exec(known)?.[1]);
      before = id && address ? ['ID', id, 'ADDR', address] : undefined;
    } catch (error) {
      if (!isReply(error)) throw error;
      log.debug({ reason: String(error) }, 'Redis does not end former connections for us');
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopped = true;
      dropCurrent(new Error('Connection is closed.'));
      endWait();
      await running;
    },
    drop: (error) => dropCurrent(error),
  };
}

/** A client that connects once when told to, queues nothing, repeats nothing, and reports by itself nothing. */
function createClient(options: RedisLinkOptions, timeoutMs: number): Redis {
  return new Redis({
    Connector: connectorTo(options),
    // Tells the client which event of the socket means that it is connected.
    ...(options.tls ? { tls: {} } : {}),
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    // RESP 2 has all that is used here, and every Redis speaks it.
    protocol: 2,
    disableClientInfo: true,
  });
}
