/** The adapters that a configuration names, each made by a function. */

import type { Logger } from 'pino';
import type { Archive } from './archive/archive.ts';
import { openArchive } from './archive/open.ts';
import type { Config } from './config.ts';
import { openDatabase } from './database/open.ts';
import { createDeflections, type Deflections } from './deflections.ts';
import { createDiscoveredDirectory } from './directory/discovered.ts';
import { createFileDirectory } from './directory/file.ts';
import type { DirectorySource } from './directory.ts';
import type { CdrSource } from './journal/cdr.ts';
import { createCdrDatabase } from './journal/cdr-database.ts';
import { createCdrFile } from './journal/cdr-file.ts';
import type { ModelsOptions } from './models.ts';
import type { Keeping } from './monitor/monitor.ts';
import { createShelf } from './monitor/shelf.ts';
import type { Metrics } from './ops/metrics.ts';
import { type Asterisk, type AsteriskLimits, createAsterisk } from './pbx/asterisk.ts';
import type { Pbx, PbxId } from './pbx/pbx.ts';
import { createFilePersons } from './phonebook/file.ts';
import { createLdapPersons } from './phonebook/ldap.ts';
import { createNumbers } from './phonebook/numbers.ts';
import type { Source, SourceName } from './phonebook/phonebook.ts';
import { createVcardPersons } from './phonebook/vcards.ts';
import { createPresence, type Presence, type PresenceOptions } from './presence/presence.ts';
import type { Audit } from './rules/audit.ts';
import { createMemoryStore } from './store/memory.ts';
import { createRedisStore } from './store/redis.ts';
import type { Store } from './store/store.ts';
import { createEjabberdApi } from './xmpp/ejabberd-api.ts';
import type { Limits } from './xmpp/limits.ts';
import { createPrivilegedRosters } from './xmpp/privileged-rosters.ts';
import type { Xmpp } from './xmpp/xmpp.ts';
import { createZone } from './zone.ts';

const SERVER_TIMEOUT_MS = 20_000;
/** Short enough to seem at once, long enough for what belongs together. */
const GATHER_MS = 50;
/** A restart of Asterisk that is over sooner tells nobody anything. */
const LOSS_MS = 5000;
const DEFLECTIONS_EVERY_MS = 30_000;
const MEGABYTE = 1024 * 1024;
/** A day, milliseconds. */
export const DAY_MS = 24 * 3600_000;
const ROSTERS_EVERY_MS = 30 * 60_000;

/** Times and bounds of the adapters that no operator needs to change. */
export interface Tuning {
  readonly ami?: Partial<AsteriskLimits>;
  readonly xmpp?: Partial<Limits>;
  readonly redis?: { readonly pingMs?: number; readonly timeoutMs?: number };
}

/** Asterisk behind AMI. */
export function makePbx(config: Config, log: Logger, metrics: Metrics, tuning: Tuning): Asterisk {
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
export function archiveOf({ archive }: Config, log: Logger): Archive | undefined {
  const { url, sqlite } = archive;
  return url === undefined
    ? undefined
    : openArchive({ url, sqlite, log, monotonic: () => performance.now() });
}

/** Asterisk's call records; undefined where they cannot be read. */
export function cdrOf({ journal, archive }: Config): CdrSource | undefined {
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

/** The users: from the file that is configured, else from the telephone system. Each is in the first of the domains. */
export function makeDirectory(config: Config, pbx: Pbx, log: Logger): DirectorySource {
  const [domain = config.xmpp.component] = config.xmpp.userDomains;
  const { file } = config.directory;
  if (file === undefined) return createDiscoveredDirectory({ pbx, domain, log });
  return createFileDirectory({ path: file, domains: config.xmpp.userDomains, log });
}

/** The sources that are configured besides the directory, and who may see them. */
export function makePhonebook(
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

type Neighbors = Pick<
  PresenceOptions,
  'xmpp' | 'privileges' | 'pbx' | 'store' | 'directory' | 'calls' | 'doNotDisturb' | 'log'
>;

/** Deflections, in the AstDB families that the configuration names. */
export function makeDeflections(
  config: Config,
  pbx: Pbx,
  directory: DirectorySource,
  log: Logger,
): Deflections {
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

/** Telephone presence, with the way to the users’ rosters that is configured. */
export function makePresence(config: Config, neighbors: Neighbors): Presence {
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
export function auditTo(log: Logger, store: Store): Audit {
  return (entry) => {
    const { at: _at, ...rest } = entry;
    log.info({ audit: rest }, 'audit');
    store.audit({ ...entry });
  };
}
