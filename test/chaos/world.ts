/** A bridge between a simulated Asterisk, a disobedient XMPP server and a real Redis, with telephones, users and clients: to be mistreated. */

import { Redis } from 'ioredis';
import { pino } from 'pino';
import { type Bridge, createBridge } from '../../src/bridge.ts';
import { callsOf } from '../../src/directory/calls.ts';
import { createDiscoveredDirectory } from '../../src/directory/discovered.ts';
import { modules } from '../../src/modules/index.ts';
import { createAsterisk } from '../../src/pbx/asterisk.ts';
import type { PbxId } from '../../src/pbx/pbx.ts';
import { createRedisStore } from '../../src/store/redis.ts';
import type { Store } from '../../src/store/store.ts';
import { type Component, createComponent } from '../../src/xmpp/component.ts';
import type { Limits } from '../../src/xmpp/limits.ts';
import type { Asterisk } from '../asterisk/api.ts';
import { startAsterisk } from '../asterisk/asterisk.ts';
import { deflectionsOver, idlePresence, placesOver } from '../idle.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { openRelay, type Relay } from '../servers/relay.ts';
import { until } from '../servers/until.ts';
import { journal, phonebook, settings } from '../settings.ts';
import { type AcceptServer, startAcceptServer } from '../xmpp/accept-server.ts';
import type { Tree } from '../xmpp/tree.ts';
import { type Clients, createClients } from './clients.ts';

const domain = 'example.test';
export const component = `pbx.${domain}`;
const secret = 'secret';

/** The extensions of the telephones, which are the users' names as well. */
export const extensions = ['340', '341', '342', '343', '344', '345'] as const;
export const sessionOf = (extension: string) => `${extension}@${domain}/x`;

export interface World {
  readonly asterisk: Asterisk;
  readonly server: AcceptServer;
  readonly clients: Clients;
  readonly redis: RedisServer;
  /** The lines of the bridge to its neighbors. */
  readonly lines: { readonly xmpp: Relay; readonly ami: Relay; readonly redis: Relay };
  /** The bridge that runs, and its stream. */
  readonly bridge: Bridge;
  readonly xmpp: Component;
  /** Speaks to Redis past the lines. */
  inspect<T>(ask: (client: Redis) => Promise<T>): Promise<T>;
  /** Ends the bridge in order, and starts another; `meanwhile` runs in between. */
  restart(meanwhile: () => void): Promise<void>;
  /** The same as a crash: not a byte leaves the bridge any more. */
  crash(meanwhile: () => void): Promise<void>;
  /** Sends a command of a user, and returns the id of its IQ. */
  ask(extension: string, command: string): string;
  /** Sentences about clients that show something else than the telephones do. */
  differences(): readonly string[];
  /** Resolves when every client shows what its telephone does, and the bridge knows of no other channel. */
  converged(what: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one; every user has subscribed to all calls of theirs. `onStanza` is told of what the server gets, too. */
export async function startWorld(
  limits: Partial<Limits> = {},
  onStanza: (stanza: Tree) => void = () => {},
): Promise<World> {
  const log = pino({ level: 'silent' });
  const asterisk = await startAsterisk({
    extensions: extensions.map((number) => ({ number, name: `User ${number}` })),
    users: [
      { username: 'feed', secret, read: ['all'], write: ['reporting'] },
      { username: 'control', secret, read: ['call'], write: ['all'] },
    ],
  });
  const clients = createClients();
  const server = await startAcceptServer({
    domain: component,
    secret,
    onStanza: (stanza) => {
      clients.see(stanza);
      onStanza(stanza);
    },
  });
  const redis = await startRedis();
  const lines = {
    xmpp: await openRelay(server.port),
    ami: await openRelay(asterisk.port),
    redis: await openRelay(redis.port),
  };
  const everyLine = Object.values(lines);

  async function startBridge(): Promise<{ bridge: Bridge; xmpp: Component; store: Store }> {
    const xmpp = createComponent({
      service: `xmpp://127.0.0.1:${lines.xmpp.port}`,
      domain: component,
      secret,
      log,
      limits: {
        reconnectMinMs: 20,
        reconnectMaxMs: 100,
        refusedMinMs: 20,
        refusedMaxMs: 100,
        openMs: 500,
        pingEveryMs: 300,
        pingTimeoutMs: 1000,

        ...limits,
      },
    });
    const pbx = createAsterisk({
      id: 'main' as PbxId,
      host: '127.0.0.1',
      port: lines.ami.port,
      control: { username: 'control', secret },
      feed: { username: 'feed', secret },
      actionTimeoutMs: 1000,
      clock: Date,
      log,
      limits: {
        reconnectMinMs: 20,
        reconnectMaxMs: 100,
        pingMs: 150,
        connectTimeoutMs: 500,
        loginTimeoutMs: 500,
      },
    });
    const store = createRedisStore({
      host: lines.redis.host,
      port: lines.redis.port,
      tls: false,
      db: 0,
      prefix: 'chaos:',
      log,
      retryMs: 20,
      timeoutMs: 1000,
      pingMs: 300,
    });
    const directory = createDiscoveredDirectory({ pbx, domain, log });
    const bridge = createBridge({
      modules,
      xmpp,
      pbx,
      store,
      presence: idlePresence(),
      deflections: deflectionsOver(pbx, () => directory.current),
      places: placesOver(directory, pbx),
      audit: () => {},
      webhook: async () => {},
      askPresence: false,
      directory,
      calls: callsOf(() => directory.current),
      domains: [domain],
      journal,
      phonebook,
      settings,
      limits: {
        sessions: 1000,
        perUser: 10,
        subscriptions: 10,
        perSecond: 1e6,
        burst: 1e6,
        inFlight: 1000,
        commandMs: 2000,
        graceMs: 300,
        pingEveryMs: 60_000,
        pingsPerSecond: 10,
      },
      log,
      now: Date.now,
      monotonic: () => performance.now(),
    });
    await bridge.start();
    await until('the users are known', () => extensions.every((each) => directory.current.byExtension(each)));
    return { bridge, xmpp, store };
  }
  let present = await startBridge();
  async function inspect<T>(ask: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(redis.url);
    try {
      return await ask(client);
    } finally {
      client.disconnect();
    }
  }

  let asked = 0;
  function ask(extension: string, command: string): string {
    asked += 1;
    const id = `ask-${asked}`;
    const module = command.startsWith('<AddSubscription') ? 'event' : 'base';
    server.connections
      .at(-1)
      ?.write(
        `<iq type='set' id='${id}' from='${sessionOf(extension)}' to='${component}'>` +
          `<cmd xmlns='http://www.pascom.net/mobydick' module='${module}'>${command}</cmd></iq>`,
      );
    return id;
  }

  function differences(): readonly string[] {
    const found: string[] = [];
    for (const extension of extensions) {
      const shown = new Map(clients.shown(sessionOf(extension)));
      for (const { channel, state } of asterisk.phone(extension).state()) {
        const screen = shown.get(channel);
        shown.delete(channel);
        // Of a call that the user makes nothing is told before the other end rings.
        if (screen === undefined && state === 'calling') continue;
        const expected = state === 'up' || state === 'held' ? 'busy' : 'ringing';
        if (screen?.state !== expected)
          found.push(`${channel} is ${state}, shown: ${screen?.state ?? 'nothing'}`);
        else if (screen.held !== (state === 'held'))
          found.push(`${channel} is ${state}, shown held: ${screen.held}`);
      }
      for (const [channel, screen] of shown) found.push(`${channel} is gone, shown: ${screen.state}`);
    }
    return found;
  }

  for (const extension of extensions) {
    ask(extension, "<AddSubscription><Subscription module='base' type='ChannelEvent'/></AddSubscription>");
  }
  await until('all have subscribed', () => present.bridge.subscriptions === extensions.length);
  return {
    asterisk,
    server,
    clients,
    redis,
    lines,
    inspect,
    get bridge() {
      return present.bridge;
    },
    get xmpp() {
      return present.xmpp;
    },
    async restart(meanwhile) {
      await present.bridge.stop();
      meanwhile();
      present = await startBridge();
    },
    async crash(meanwhile) {
      // What is told within the last moments of a crash the next bridge cannot know.
      await until('the store has what was told', () => {
        const { bridge, store } = present;
        return bridge.told.waiting === 0 && store.state.pending === 0;
      });
      for (const line of everyLine) line.cut();
      await present.bridge.stop();
      meanwhile();
      for (const line of everyLine) line.mend();
      present = await startBridge();
    },
    ask,
    differences,
    async converged(what) {
      await until(`clients show the truth after ${what}`, () => differences().length === 0, 15).catch(
        (error: unknown) => {
          throw new Error(`after ${what}: ${differences().join('; ')}`, { cause: error });
        },
      );
    },
    async stop() {
      await present.bridge.stop();
      for (const line of everyLine) await line.stop();
      await server.stop();
      await asterisk.stop();
      await redis.stop();
    },
  };
}
