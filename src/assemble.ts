/** Makes a bridge and its adapters, as a configuration says, and serves what stands beside it. */

import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  archiveOf,
  auditTo,
  cdrOf,
  DAY_MS,
  makeDeflections,
  makeDirectory,
  makePbx,
  makePhonebook,
  makePresence,
  makeStore,
  recordingsOf,
  type Tuning,
} from './adapters.ts';
import { type Bridge, type BridgeLimits, createBridge } from './bridge.ts';
import type { Config } from './config.ts';
import { createCourtesy } from './courtesy.ts';
import { callsOf } from './directory/calls.ts';
import { numberShower } from './log.ts';
import { modules } from './modules/index.ts';
import { offeredCommands } from './modules/offer.ts';
import { createHealth, type Readiness } from './ops/health.ts';
import { createMetrics } from './ops/metrics.ts';
import type { Pbx } from './pbx/pbx.ts';
import { SEARCH_NS } from './phonebook/search.ts';
import { createPlaces } from './places/places.ts';
import type { Presence } from './presence/presence.ts';
import { CMD_NS, featureOf } from './protocol/envelope.ts';
import type { Store } from './store/store.ts';
import { createWebhook } from './webhook.ts';
import { createComponent } from './xmpp/component.ts';
import { type Delegated, delegationInfo, serveDelegation } from './xmpp/delegation.ts';
import { watchDelegation } from './xmpp/delegation-watch.ts';
import { componentInfo, type DiscoSources, serveDisco } from './xmpp/disco.ts';
import { defaultLimits } from './xmpp/limits.ts';
import { DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, TIME_NS, VERSION_NS } from './xmpp/namespaces.ts';
import { servePing } from './xmpp/ping.ts';
import { watchPrivileges } from './xmpp/privilege.ts';
import { serveTime } from './xmpp/time.ts';
import { serveVersion } from './xmpp/version.ts';
import type { Xmpp } from './xmpp/xmpp.ts';
import { createZone } from './zone.ts';

/** A bridge with its adapters. */
export interface Offhook {
  /** Resolves when both neighbours were reached once. Rejects with `DirectoryFileError`, or where HTTP_LISTEN is taken. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly bridge: Bridge;
  /** Numbers of telephone presence, for metrics. */
  readonly presence: Presence['counters'];
  readiness(): Readiness;
  /** Where health and readiness are served; undefined before the start and where it is off. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
}

const GRACE_MS = 5000;
const PING_EVERY_MS = 5 * 60_000;
// Prosody carries some 4,000 stanzas a second; a question takes up to three.
const PINGS_PER_SECOND = 400;
const SESSIONS_PER_USER = 50;
const SUBSCRIPTIONS_PER_SESSION = 200;
const COMMANDS_IN_FLIGHT = 1000;
/** What is around an answer at the most: IQ, `cmd`, the frame of a delegated one, each address of up to 3,071 bytes. */
const ENVELOPE_BYTES = 32_768;

/** Assembles the bridge. `version` is this program's; nothing is connected before `start`. */
export function assemble(config: Config, log: Logger, version: string, tuning: Tuning = {}): Offhook {
  const metrics = createMetrics(modules);
  const pbx = makePbx(config, log, metrics, tuning);
  const courtesy = createCourtesy({
    domain: config.xmpp.component,
    domains: config.xmpp.userDomains,
    limited: [SEARCH_NS],
    keys: config.limits.sessions,
    monotonic: () => performance.now(),
  });
  const xmpp = createComponent({
    service: config.xmpp.service,
    domain: config.xmpp.component,
    secret: config.xmpp.secret,
    ca: config.xmpp.tlsCa,
    log,
    learned: () => pbx.readAt,
    onWritten: metrics.eventWritten,
    limits: tuning.xmpp ?? {},
    admits: courtesy.admits,
  });
  const store = makeStore(config, log, tuning);
  const places = createPlaces({
    source: makeDirectory(config, pbx, log),
    store,
    pbx,
    ringSeconds: config.pbx.ringSeconds,
    log,
    now: Date.now,
  });
  const { directory } = places;
  const delegation = delegationOf(config);
  const calls = callsOf(() => directory.current);
  const privileges = watchPrivileges(xmpp, config.xmpp.userDomains, log);
  const deflections = makeDeflections(config, pbx, directory, log);
  const presence = makePresence(config, {
    xmpp,
    privileges,
    pbx,
    store,
    directory,
    calls,
    doNotDisturb: deflections,
    log,
  });
  const offered = () => offeredCommands(modules, directory.current.policy, pbx).map(featureOf);
  serveStandards(xmpp, version, offered, delegation, presence.disco);
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
    pingsPerSecond: PINGS_PER_SECOND,
  };
  const bridge = createBridge({
    modules,
    xmpp,
    pbx,
    store,
    directory,
    calls,
    presence,
    deflections,
    places,
    domains: config.xmpp.userDomains,
    missed: { count: config.queues.missed, ageMs: config.queues.missedDays * DAY_MS },
    journal: {
      keep: { count: config.journal.entries, ageMs: config.journal.days * DAY_MS },
      outsidePrefix: config.pbx.outsidePrefix ?? '',
      cdr: cdrOf(config),
    },
    phonebook: makePhonebook(config, xmpp, directory, log),
    settings: {
      context: config.pbx.context,
      outsidePrefix: config.pbx.outsidePrefix ?? '',
      internationalPrefix: config.pbx.internationalPrefix,
      mobileGateway: config.pbx.mobileGateway,
      ringMs: config.pbx.ringSeconds * 1000,
      answerBytes: defaultLimits.stanzaBytes - ENVELOPE_BYTES,
      archiveZone: createZone(config.archive.timeZone),
      showNumber: numberShower(config.log.maskNumbers),
    },
    recordings: recordingsOf(config, log),
    archive: archiveOf(config, log),
    uploadService: config.recordings.upload,
    askPresence: config.xmpp.askPresence,
    limits,
    timed: metrics.timed,
    audit: auditTo(log, store),
    webhook: createWebhook(Date.now, setTimeout),
    log,
    now: Date.now,
    monotonic: () => performance.now(),
  });

  if (delegation !== undefined) serveDelegation(xmpp, { ...delegation, serve: bridge.dispatch });
  const watch =
    delegation &&
    watchDelegation({ ...delegation, xmpp, log, required: config.xmpp.delegation === 'required' });

  const readiness = () => readinessOf(xmpp, pbx, store);
  const { listen } = config.http;
  const health = listen && createHealth(listen.host, listen.port, readiness, metrics);
  metrics.watch({
    xmpp,
    pbx,
    store,
    bridge,
    presence,
    limits,
    xmppLimits: { ...defaultLimits, ...tuning.xmpp },
    others: [courtesy, ...(health === undefined ? [] : [health])],
  });
  let http: Offhook['http'];
  return {
    bridge,
    presence: presence.counters,
    readiness,
    get http() {
      return http;
    },
    async start() {
      http = await health?.start();
      await bridge.start();
    },
    async stop() {
      watch?.stop();
      await bridge.stop();
      await health?.stop();
      http = undefined;
    },
  };
}

/** What may be delegated to us, and by whom; undefined where the operator wants none. */
function delegationOf({ xmpp }: Config): Delegated | undefined {
  if (xmpp.delegation === 'off') return undefined;
  return { namespace: CMD_NS, domains: new Set(xmpp.userDomains) };
}

function serveStandards(
  xmpp: Xmpp,
  version: string,
  offered: () => readonly string[],
  delegation: Delegated | undefined,
  hosted: DiscoSources,
): void {
  const standards = [CMD_NS, DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, SEARCH_NS, TIME_NS, VERSION_NS];
  const features = () => [...standards, ...offered()];
  const info = [componentInfo(xmpp, 'Telephone system', features), ...hosted.info];
  if (delegation !== undefined) info.push(delegationInfo(delegation));
  serveDisco(xmpp, { info, items: hosted.items });
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
