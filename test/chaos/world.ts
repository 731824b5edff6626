/** A bridge between a simulated Asterisk, a disobedient XMPP server and a real Redis, with telephones, users and clients: to be mistreated. */

import { Redis } from 'ioredis';
import type { Asterisk } from '../asterisk/api.ts';
import { startAsterisk } from '../asterisk/asterisk.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { openRelay, type Relay } from '../servers/relay.ts';
import { until } from '../servers/until.ts';
import { type AcceptServer, startAcceptServer } from '../xmpp/accept-server.ts';
import type { Tree } from '../xmpp/tree.ts';
import { type Clients, createClients } from './clients.ts';
import type { Host } from './host.ts';
import { component, extensions, secret, sessionOf } from './names.ts';

export interface World {
  readonly asterisk: Asterisk;
  readonly server: AcceptServer;
  readonly clients: Clients;
  readonly redis: RedisServer;
  /** The lines of the bridge to its neighbors. */
  readonly lines: { readonly xmpp: Relay; readonly ami: Relay; readonly redis: Relay };
  /** Where the bridge is. */
  readonly host: Host;
  /** Speaks to Redis past the lines. */
  inspect<T>(ask: (client: Redis) => Promise<T>): Promise<T>;
  /** Ends the bridge in order, and starts another; `meanwhile` runs in between. */
  restart(meanwhile: () => void | Promise<void>): Promise<void>;
  /** The same as a crash: not a byte leaves the bridge any more. */
  crash(meanwhile: () => void | Promise<void>): Promise<void>;
  /** Sends a command of a user, and returns the id of its IQ. */
  ask(extension: string, command: string): string;
  /** Sentences about clients that show something else than the telephones do. */
  differences(): readonly string[];
  /** Resolves when every client shows what its telephone does, and the bridge knows of no other channel. */
  converged(what: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one, and a bridge on the host; every user has subscribed to all calls of theirs. `onStanza` is told of what the server gets, too. */
export async function startWorld(host: Host, onStanza: (stanza: Tree) => void = () => {}): Promise<World> {
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
  const ports = { xmpp: lines.xmpp.port, ami: lines.ami.port, redis: lines.redis.port };

  await host.start(ports);
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
  await until('all have subscribed', async () => (await host.standing()).subscriptions === extensions.length);
  return {
    asterisk,
    server,
    clients,
    redis,
    lines,
    inspect,
    host,
    async restart(meanwhile) {
      await host.stop();
      await meanwhile();
      await host.start(ports);
    },
    async crash(meanwhile) {
      // What is told within the last moments of a crash the next bridge cannot know: so it hears no more before its last moments.
      lines.ami.cut();
      await until('the store has what was told', async () => {
        const { ready, stored } = await host.standing();
        return !ready && stored;
      });
      for (const line of everyLine) line.cut();
      await host.stop();
      await meanwhile();
      for (const line of everyLine) line.mend();
      await host.start(ports);
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
      await host.close();
      for (const line of everyLine) await line.stop();
      await server.stop();
      await asterisk.stop();
      await redis.stop();
    },
  };
}
