/** A bridge between a simulated Asterisk and a disobedient XMPP server, with telephones, users and clients: to be mistreated. */

import { pino } from 'pino';
import { type Bridge, createBridge } from '../../src/bridge.ts';
import { callsOf } from '../../src/directory/calls.ts';
import { createDiscoveredDirectory } from '../../src/directory/discovered.ts';
import { modules } from '../../src/modules/index.ts';
import { createAsterisk } from '../../src/pbx/asterisk.ts';
import type { PbxId } from '../../src/pbx/pbx.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type Component, createComponent } from '../../src/xmpp/component.ts';
import type { Limits } from '../../src/xmpp/limits.ts';
import type { Asterisk } from '../asterisk/api.ts';
import { startAsterisk } from '../asterisk/asterisk.ts';
import { deflectionsOver, idlePresence, placesOver } from '../idle.ts';
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
  readonly bridge: Bridge;
  readonly xmpp: Component;
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
  const xmpp = createComponent({
    service: `xmpp://127.0.0.1:${server.port}`,
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
    port: asterisk.port,
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
  const directory = createDiscoveredDirectory({ pbx, domain, log });
  const bridge = createBridge({
    modules,
    xmpp,
    pbx,
    store: createMemoryStore(),
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
      graceMs: 1000,
      pingEveryMs: 60_000,
      pingsPerSecond: 10,
    },
    log,
    now: Date.now,
    monotonic: () => performance.now(),
  });
  await bridge.start();
  await until('the users are known', () => extensions.every((each) => directory.current.byExtension(each)));

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
  await until('all have subscribed', () => bridge.subscriptions === extensions.length);
  return {
    asterisk,
    server,
    clients,
    bridge,
    xmpp,
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
      await bridge.stop();
      await server.stop();
      await asterisk.stop();
    },
  };
}
