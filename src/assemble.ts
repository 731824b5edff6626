/** Makes the adapters that a configuration names, and a bridge out of them. */

import type { Logger } from 'pino';
import { type Bridge, type BridgeLimits, createBridge } from './bridge.ts';
import type { Config } from './config.ts';
import { callsOf } from './directory/calls.ts';
import { createDiscoveredDirectory } from './directory/discovered.ts';
import { createFileDirectory } from './directory/file.ts';
import type { DirectorySource } from './directory.ts';
import { numberShower } from './log.ts';
import { modules } from './modules/index.ts';
import { createHealth, type Readiness } from './ops/health.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { type Asterisk, createAsterisk } from './pbx/asterisk.ts';
import type { Pbx, PbxId } from './pbx/pbx.ts';
import { CMD_NS } from './protocol/envelope.ts';
import { createMemoryStore } from './store/memory.ts';
import { createRedisStore } from './store/redis.ts';
import type { Store } from './store/store.ts';
import { createComponent } from './xmpp/component.ts';
import { componentInfo, serveDisco } from './xmpp/disco.ts';
import { defaultLimits } from './xmpp/limits.ts';
import { DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, TIME_NS, VERSION_NS } from './xmpp/namespaces.ts';
import { servePing } from './xmpp/ping.ts';
import { serveTime } from './xmpp/time.ts';
import { serveVersion } from './xmpp/version.ts';
import type { Xmpp } from './xmpp/xmpp.ts';

/** A bridge with its adapters. */
export interface Offhook {
  /** Resolves when both neighbours were reached once. Rejects with `DirectoryFileError`, or where HTTP_LISTEN is taken. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly bridge: Bridge;
  readiness(): Readiness;
  /** Where health and readiness are served; undefined before the start and where it is off. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
}

const GRACE_MS = 5000;
const PING_EVERY_MS = 5 * 60_000;
const SESSIONS_PER_USER = 50;
const SUBSCRIPTIONS_PER_SESSION = 200;
const COMMANDS_IN_FLIGHT = 1000;

/** Assembles the bridge. `version` is this program's; nothing is connected before `start`. */
export function assemble(config: Config, log: Logger, version: string): Offhook {
  const metrics = createMetrics(modules);
  const pbx = makePbx(config, log, metrics);
  const xmpp = createComponent({
    service: config.xmpp.service,
    domain: config.xmpp.component,
    secret: config.xmpp.secret,
    ca: config.xmpp.tlsCa,
    log,
    learned: () => pbx.readAt,
    onWritten: metrics.eventWritten,
  });
  const store = makeStore(config, log);
  const directory = makeDirectory(config, pbx, log);
  serveStandards(xmpp, version);
  const limits: BridgeLimits = {
    sessions: config.limits.sessions,
    perUser: SESSIONS_PER_USER,
    subscriptions: SUBSCRIPTIONS_PER_SESSION,
    perSecond: config.limits.ratePerSecond,
    burst: config.limits.rateBurst,
    inFlight: COMMANDS_IN_FLIGHT,
    commandMs: config.limits.commandSeconds * 1000,
    graceMs: GRACE_MS,
    pingEveryMs: PING_EVERY_MS,
  };
  const bridge = createBridge({
    modules,
    xmpp,
    pbx,
    store,
    directory,
    calls: callsOf(() => directory.current),
    domains: config.xmpp.userDomains,
    settings: {
      context: config.pbx.context,
      outsidePrefix: config.pbx.outsidePrefix ?? '',
      ringMs: config.pbx.ringSeconds * 1000,
      showNumber: numberShower(config.log.maskNumbers),
    },
    limits,
    timed: metrics.timed,
    log,
    now: Date.now,
    monotonic: () => performance.now(),
  });

  metrics.watch({ xmpp, pbx, store, bridge, limits, xmppLimits: defaultLimits });
  const readiness = () => readinessOf(xmpp, pbx, store);
  const { listen } = config.http;
  const health = listen && createHealth(listen.host, listen.port, readiness, metrics);
  let http: Offhook['http'];
  return {
    bridge,
    readiness,
    get http() {
      return http;
    },
    async start() {
      http = await health?.start();
      await bridge.start();
    },
    async stop() {
      await bridge.stop();
      await health?.stop();
      http = undefined;
    },
  };
}

function makePbx(config: Config, log: Logger, metrics: Metrics): Asterisk {
  const { ami, limits, pbx } = config;
  return createAsterisk({
    id: pbx.id as PbxId,
    host: ami.host,
    port: ami.port,
    ...(ami.tls && { tls: ami.tlsCa === undefined ? {} : { ca: ami.tlsCa } }),
    control: { username: ami.username, secret: ami.secret },
    feed: { username: ami.feedUsername, secret: ami.feedSecret },
    // Before the command's own deadline, so that what Asterisk owes is said in its name.
    actionTimeoutMs: (limits.commandSeconds * 1000 * 4) / 5,
    clock: Date,
    log,
    onAction: metrics.action,
  });
}

function makeStore(config: Config, log: Logger): Store {
  const { kind, redis, redisTlsCa, redisPrefix } = config.store;
  if (kind === 'memory') return createMemoryStore();
  return createRedisStore({ ...redis, ca: redisTlsCa, prefix: redisPrefix, log });
}

function makeDirectory(config: Config, pbx: Pbx, log: Logger): DirectorySource {
  const [domain = config.xmpp.component] = config.xmpp.userDomains;
  const { file } = config.directory;
  if (file === undefined) return createDiscoveredDirectory({ pbx, domain, log });
  return createFileDirectory({ path: file, domains: config.xmpp.userDomains, log });
}

function serveStandards(xmpp: Xmpp, version: string): void {
  const features = [CMD_NS, DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, TIME_NS, VERSION_NS];
  serveDisco(xmpp, { info: [componentInfo(xmpp, 'Telephone system', features)], items: [] });
  serveVersion(xmpp, { name: 'offhook', version });
  servePing(xmpp);
  serveTime(xmpp);
}

function readinessOf(xmpp: Xmpp, pbx: Pbx, store: Store): Readiness {
  const say = (name: string, up: boolean, reason: string) => `${name}: ${up ? 'up' : `down (${reason})`}`;
  const stream = xmpp.state.status === 'online';
  const telephone = pbx.state.control && pbx.state.feed;
  return {
    ready: stream && telephone && store.state.usable,
    lines: [
      say('xmpp', stream, xmpp.state.reason || xmpp.state.status),
      say(`pbx ${pbx.id}`, telephone, pbx.state.reason),
      say('store', store.state.usable, store.state.reason),
    ],
  };
}
