/** A bridge to be mistreated: its own times are short, its neighbors are where it is told. */

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
import { servePing } from '../../src/xmpp/ping.ts';
import { deflectionsOver, idlePresence, placesOver } from '../idle.ts';
import { loopback } from '../servers/ports.ts';
import { until } from '../servers/until.ts';
import { journal, phonebook, settings } from '../settings.ts';
import { component, domain, extensions, secret } from './names.ts';

/** Where the neighbors are, on loopback. */
export interface Ports {
  readonly xmpp: number;
  readonly ami: number;
  readonly redis: number;
}

/** A bridge that runs. */
export interface Started {
  readonly bridge: Bridge;
  readonly xmpp: Component;
  readonly store: Store;
}

/** Starts one; it knows its users when this resolves. */
export async function startBridge(ports: Ports, limits: Partial<Limits> = {}): Promise<Started> {
  const log = pino({ level: 'silent' });
  const xmpp = createComponent({
    service: `xmpp://${loopback}:${ports.xmpp}`,
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
  // The bridge asks itself, through the server, what has arrived.
  servePing(xmpp);
  const pbx = createAsterisk({
    id: 'main' as PbxId,
    host: loopback,
    port: ports.ami,
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
    host: loopback,
    port: ports.redis,
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
      confirmEveryMs: 50,
    },
    log,
    now: Date.now,
    monotonic: () => performance.now(),
  });
  await bridge.start();
  await until('the users are known', () => extensions.every((each) => directory.current.byExtension(each)));
  return { bridge, xmpp, store };
}
