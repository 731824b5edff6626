/** Makes the adapters that a configuration names, and a bridge out of them. */

import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Archive } from './archive/archive.ts';
import { openArchive } from './archive/open.ts';
import { type Bridge, type BridgeLimits, createBridge } from './bridge.ts';
import type { Config } from './config.ts';
import { openDatabase } from './database/open.ts';
import { createDeflections, type Deflections } from './deflections.ts';
import { callsOf } from './directory/calls.ts';
import { createDiscoveredDirectory } from './directory/discovered.ts';
import { createFileDirectory } from './directory/file.ts';
import type { DirectorySource } from './directory.ts';
import type { CdrSource } from './journal/cdr.ts';
import { createCdrDatabase } from './journal/cdr-database.ts';
import { createCdrFile } from './journal/cdr-file.ts';
import { numberShower } from './log.ts';
import type { ModelsOptions } from './models.ts';
import { modules } from './modules/index.ts';
import { offeredCommands } from './modules/offer.ts';
import type { Keeping } from './monitor/monitor.ts';
import { createShelf } from './monitor/shelf.ts';
import { createHealth, type Readiness } from './ops/health.ts';
import { createMetrics, type Metrics } from './ops/metrics.ts';
import { type Asterisk, type AsteriskLimits, createAsterisk } from './pbx/asterisk.ts';
import type { Pbx, PbxId } from './pbx/pbx.ts';
import { createFilePersons } from './phonebook/file.ts';
import { createLdapPersons } from './phonebook/ldap.ts';
import { createNumbers } from './phonebook/numbers.ts';
import type { Source, SourceName } from './phonebook/phonebook.ts';
import { SEARCH_NS } from './phonebook/search.ts';
import { createVcardPersons } from './phonebook/vcards.ts';
import { createPlaces } from './places/places.ts';
import { createPresence, type Presence, type PresenceOptions } from './presence/presence.ts';
import { CMD_NS, featureOf } from './protocol/envelope.ts';
import type { Audit } from './rules/audit.ts';
import { createMemoryStore } from './store/memory.ts';
import { createRedisStore } from './store/redis.ts';
import type { Store } from './store/store.ts';
import { createWebhook } from './webhook.ts';
import { createComponent } from './xmpp/component.ts';
import { type Delegated, delegationInfo, serveDelegation } from './xmpp/delegation.ts';
import { watchDelegation } from './xmpp/delegation-watch.ts';
import { componentInfo, type DiscoSources, serveDisco } from './xmpp/disco.ts';
import { createEjabberdApi } from './xmpp/ejabberd-api.ts';
import { defaultLimits, type Limits } from './xmpp/limits.ts';
import { DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, TIME_NS, VERSION_NS } from './xmpp/namespaces.ts';
import { servePing } from './xmpp/ping.ts';
import { watchPrivileges } from './xmpp/privilege.ts';
import { createPrivilegedRosters } from './xmpp/privileged-rosters.ts';
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
const SERVER_TIMEOUT_MS = 20_000;
/** Short enough to seem at once, long enough for what belongs together. */
const GATHER_MS = 50;
/** A restart of Asterisk that is over sooner tells nobody anything. */
const LOSS_MS = 5000;
const DEFLECTIONS_EVERY_MS = 30_000;
const MEGABYTE = 1024 * 1024;
const DAY_MS = 24 * 3600_000;
const ROSTERS_EVERY_MS = 30 * 60_000;

/** Times and bounds of the adapters that no operator needs to change. */
export interface Tuning {
  readonly ami?: Partial<AsteriskLimits>;
  readonly xmpp?: Partial<Limits>;
  readonly redis?: { readonly pingMs?: number; readonly timeoutMs?: number };
}

/** Assembles the bridge. `version` is this program's; nothing is connected before `start`. */
export function assemble(config: Config, log: Logger, version: string, tuning: Tuning = {}): Offhook {
  const metrics = createMetrics(modules);
  const pbx = makePbx(config, log, metrics, tuning);
  const xmpp = createComponent({
    service: config.xmpp.service,
    domain: config.xmpp.component,
    secret: config.xmpp.secret,
    ca: config.xmpp.tlsCa,
    log,
    learned: () => pbx.readAt,
    onWritten: metrics.eventWritten,
    limits: tuning.xmpp ?? {},
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

  metrics.watch({
    xmpp,
    pbx,
    store,
    bridge,
    presence,
    limits,
    xmppLimits: { ...defaultLimits, ...tuning.xmpp },
  });
  if (delegation !== undefined) serveDelegation(xmpp, { ...delegation, serve: bridge.dispatch });
  const watch =
    delegation &&
    watchDelegation({ ...delegation, xmpp, log, required: config.xmpp.delegation === 'required' });

  const readiness = () => readinessOf(xmpp, pbx, store);
  const { listen } = config.http;
  const health = listen && createHealth(listen.host, listen.port, readiness, metrics);
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

function makePbx(config: Config, log: Logger, metrics: Metrics, tuning: Tuning): Asterisk {
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
    limits: tuning.ami ?? {},
  });
}

/** The store that the configuration names. */
export function makeStore(config: Config, log: Logger, tuning: Tuning = {}): Store {
  const { kind, redis, redisTlsCa, redisPrefix, auditLength } = config.store;
  if (kind === 'memory') return createMemoryStore();
  return createRedisStore({
    ...redis,
    ca: redisTlsCa,
    prefix: redisPrefix,
    auditLength,
    log,
    ...tuning.redis,
  });
}

/** The chat archive; undefined where none is configured. */
function archiveOf({ archive }: Config, log: Logger): Archive | undefined {
  const { url, sqlite } = archive;
  return url === undefined
    ? undefined
    : openArchive({ url, sqlite, log, monotonic: () => performance.now() });
}

/** Asterisk's call records; undefined where they cannot be read. */
function cdrOf({ journal, archive }: Config): CdrSource | undefined {
  const { cdrFile, cdrColumns, cdrUrl, cdrTable, cdrTimeZone } = journal;
  const zone = createZone(cdrTimeZone);
  if (cdrFile !== undefined) return createCdrFile({ path: cdrFile, columns: cdrColumns, zone });
  if (cdrUrl === undefined) return undefined;
  const open = () => openDatabase({ url: cdrUrl, sqlite: archive.sqlite, atOnce: 1 });
  return createCdrDatabase({ open, table: cdrTable, zone });
}

/** Where recordings are kept; undefined where there are none. */
export function recordingsOf({ recordings }: Config, log: Logger): Keeping | undefined {
  const { dir, pbxDir, minFreeMegabytes, keepDays, maxMegabytes } = recordings;
  if (dir === undefined) return undefined;
  return {
    shelf: createShelf({ dir, minFreeBytes: minFreeMegabytes * MEGABYTE, log }),
    pbxDir: pbxDir ?? dir,
    keepMs: keepDays === 0 ? undefined : keepDays * DAY_MS,
    keepBytes: maxMegabytes === 0 ? undefined : maxMegabytes * MEGABYTE,
  };
}

function makeDirectory(config: Config, pbx: Pbx, log: Logger): DirectorySource {
  const [domain = config.xmpp.component] = config.xmpp.userDomains;
  const { file } = config.directory;
  if (file === undefined) return createDiscoveredDirectory({ pbx, domain, log });
  return createFileDirectory({ path: file, domains: config.xmpp.userDomains, log });
}

/** The sources that are configured besides the directory, and who may see them. */
function makePhonebook(
  config: Config,
  xmpp: Xmpp,
  directory: DirectorySource,
  log: Logger,
): ModelsOptions['phonebook'] {
  const { country, file, ldapUrl, ldapBase, vcards, refreshMinutes, visibleTo, maxEntries, ...ldap } =
    config.phonebook;
  const numbers = createNumbers(country, config.pbx.outsidePrefix ?? '');
  const reading = { most: maxEntries, key: numbers.key };
  const asked = { ...reading, everyMs: refreshMinutes * 60_000, log };
  const sources: Source[] = [];
  if (file !== undefined) sources.push(createFilePersons({ path: file, reading, log }));
  if (ldapUrl !== undefined) {
    sources.push(
      createLdapPersons({
        ...asked,
        url: ldapUrl,
        startTls: ldap.ldapStartTls,
        ca: ldap.ldapCa,
        bindDn: ldap.ldapBindDn,
        password: ldap.ldapPassword,
        base: ldapBase ?? '',
        filter: ldap.ldapFilter,
        attributes: ldap.ldapAttributes,
      }),
    );
  }
  if (vcards) sources.push(createVcardPersons({ ...asked, xmpp, directory: () => directory.current }));
  const groups = new Map<SourceName, Set<string>>();
  for (const [source, group] of visibleTo ?? []) {
    groups.set(source, new Set([...(groups.get(source) ?? []), group]));
  }
  return { sources, numbers, visibleTo: groups };
}

/** What may be delegated to us, and by whom; undefined where the operator wants none. */
function delegationOf({ xmpp }: Config): Delegated | undefined {
  if (xmpp.delegation === 'off') return undefined;
  return { namespace: CMD_NS, domains: new Set(xmpp.userDomains) };
}

type Neighbors = Pick<
  PresenceOptions,
  'xmpp' | 'privileges' | 'pbx' | 'store' | 'directory' | 'calls' | 'doNotDisturb' | 'log'
>;

function makeDeflections(config: Config, pbx: Pbx, directory: DirectorySource, log: Logger): Deflections {
  const { cfFamily, cfbFamily, cfuFamily, dndFamily } = config.pbx;
  return createDeflections({
    pbx,
    families: { always: cfFamily, busy: cfbFamily, noanswer: cfuFamily, doNotDisturb: dndFamily },
    directory: () => directory.current,
    everyMs: DEFLECTIONS_EVERY_MS,
    log,
    now: Date.now,
  });
}

function makePresence(config: Config, neighbors: Neighbors): Presence {
  const { visibleTo, watchers, roster, ejabberdApi, ejabberdToken, ...settings } = config.presence;
  const { xmpp, privileges } = neighbors;
  const privileged = createPrivilegedRosters(xmpp, privileges, SERVER_TIMEOUT_MS);
  const api =
    ejabberdApi === undefined
      ? undefined
      : createEjabberdApi({ url: ejabberdApi, token: ejabberdToken, timeoutMs: SERVER_TIMEOUT_MS });
  const fillers = { none: undefined, privilege: privileged, ejabberd: api };
  const following = new Set(settings.follow ?? []);
  return createPresence({
    ...neighbors,
    settings: {
      ...settings,
      visibility: { rule: visibleTo, list: watchers ?? [] },
      follows: (user) => following.has('*') || following.has(user.name),
      gatherMs: GATHER_MS,
      lossMs: LOSS_MS,
      rostersEveryMs: ROSTERS_EVERY_MS,
    },
    domains: config.xmpp.userDomains,
    rosters: api ?? privileged,
    fillRosters: fillers[roster],
    connected: api?.connected,
    monotonic: () => performance.now(),
  });
}

/** One log line an entry, whatever the log's other lines are about; and the store's stream where there is one. */
function auditTo(log: Logger, store: Store): Audit {
  return (entry) => {
    const { at: _at, ...rest } = entry;
    log.info({ audit: rest }, 'audit');
    store.audit({ ...entry });
  };
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
