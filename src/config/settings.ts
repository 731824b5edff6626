/** The table of all settings. `.env.example`, the checks and the types come from it. */

import { logFormats, logLevels } from '../log.ts';
import { visibilityRules } from '../presence/visibility.ts';
import * as kind from './kinds.ts';

/** One setting. */
export interface Setting<T> {
  /** Name of the environment variable. */
  readonly env: string;
  readonly kind: kind.Kind<T>;
  /** As it would stand in the environment; undefined = the operator must say. */
  readonly default: string | undefined;
  /** One or two sentences for operators. */
  readonly doc: string;
  /** Never printed, and readable from the file that `<env>_FILE` names. */
  readonly secret?: boolean;
  /** Shown in `.env.example` where there is no default. */
  readonly example?: string;
}

const word = kind.matching(/^[\w.-]{1,79}$/, 'letters, digits, "_", "-" and "."');

/** Keeps the kind's value type while the table is checked against {@link Setting}. */
const setting = <T>(it: Setting<T>) => it;

/** All settings, grouped as the configuration is. */
export const settings = {
  xmpp: {
    service: setting({
      env: 'XMPP_SERVICE',
      kind: kind.xmppService,
      default: 'xmpp://127.0.0.1:5347',
      doc: "The XMPP server's component port (XEP-0114); xmpps:// for a port with TLS.",
    }),
    component: setting({
      env: 'XMPP_COMPONENT',
      kind: kind.domain,
      default: undefined,
      example: 'pbx.example.org',
      doc: 'JID of the component, as configured in the XMPP server.',
    }),
    secret: setting({
      env: 'XMPP_SECRET',
      kind: kind.text,
      default: undefined,
      secret: true,
      doc: 'Secret of the component, as configured in the XMPP server.',
    }),
    userDomains: setting({
      env: 'XMPP_USER_DOMAINS',
      kind: kind.orNothing(kind.listOf(kind.domain)),
      default: '',
      doc: 'Domains whose users are served, with commas. Left out: the parent domain of XMPP_COMPONENT.',
    }),
    tlsCa: setting({
      env: 'XMPP_TLS_CA',
      kind: kind.orNothing(kind.certificates),
      default: '',
      doc: "File with the CA certificates (PEM) that the XMPP server's certificate must descend from. Left out: those of Node.js.",
    }),
    delegation: setting({
      env: 'XMPP_DELEGATION',
      kind: kind.oneOf(['auto', 'required', 'off']),
      default: 'auto',
      doc: 'Whether to serve commands that clients send to no address (docs/legacy-clients.md): auto where the XMPP server hands them over, required to be warned where it does not, off.',
    }),
    askPresence: setting({
      env: 'XMPP_ASK_PRESENCE',
      kind: kind.flag,
      default: 'false',
      doc: 'Whether to ask each user for permission to see when clients leave, which finds the end of a session at once. Most clients show that to the user as a contact request.',
    }),
  },
  ami: {
    host: setting({ env: 'AMI_HOST', kind: kind.host, default: '127.0.0.1', doc: 'Host of Asterisk.' }),
    port: setting({
      env: 'AMI_PORT',
      kind: kind.integer(1, 65535),
      default: '5038',
      doc: 'Port of the manager interface (5039 is usual with TLS).',
    }),
    tls: setting({ env: 'AMI_TLS', kind: kind.flag, default: 'false', doc: 'Whether that port speaks TLS.' }),
    tlsCa: setting({
      env: 'AMI_TLS_CA',
      kind: kind.orNothing(kind.certificates),
      default: '',
      doc: "File with the CA certificates (PEM) that Asterisk's certificate must descend from. Left out: those of Node.js.",
    }),
    username: setting({
      env: 'AMI_USERNAME',
      kind: kind.text,
      default: undefined,
      example: 'offhook-control',
      doc: 'Manager account that carries out actions.',
    }),
    secret: setting({
      env: 'AMI_SECRET',
      kind: kind.text,
      default: undefined,
      secret: true,
      doc: 'Secret of that account.',
    }),
    feedUsername: setting({
      env: 'AMI_FEED_USERNAME',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'Manager account that receives events. Left out: the account above does both.',
    }),
    feedSecret: setting({
      env: 'AMI_FEED_SECRET',
      kind: kind.orNothing(kind.text),
      default: '',
      secret: true,
      doc: 'Secret of the events account. Goes with AMI_FEED_USERNAME.',
    }),
  },
  pbx: {
    id: setting({
      env: 'PBX_ID',
      kind: word,
      default: 'main',
      doc: 'Name of the telephone system in logs and metrics.',
    }),
    context: setting({
      env: 'PBX_CONTEXT',
      kind: word,
      default: 'internal',
      doc: 'Dialplan context in which numbers are dialed.',
    }),
    outsidePrefix: setting({
      env: 'PBX_OUTSIDE_PREFIX',
      kind: kind.orNothing(kind.matching(/^[0-9*#]{1,20}$/, 'digits')),
      default: '',
      doc: "Put in front of numbers that are no extensions when a client dials with prefix='auto'.",
    }),
    internationalPrefix: setting({
      env: 'PBX_INTERNATIONAL_PREFIX',
      kind: kind.matching(/^[0-9]{1,8}$/, 'digits'),
      default: '00',
      doc: 'Dialed in place of the plus of +49… where a prefix goes in front of the number.',
    }),
    dndFamily: setting({
      env: 'PBX_DND_FAMILY',
      kind: word,
      default: 'DND',
      doc: 'AstDB family in which the dialplan keeps do-not-disturb, keyed by extension.',
    }),
    cfFamily: setting({
      env: 'PBX_CF_FAMILY',
      kind: word,
      default: 'CF',
      doc: 'AstDB family of numbers that all calls to an extension go to, keyed by extension.',
    }),
    cfbFamily: setting({
      env: 'PBX_CFB_FAMILY',
      kind: word,
      default: 'CFB',
      doc: 'The same for calls while the extension is busy.',
    }),
    cfuFamily: setting({
      env: 'PBX_CFU_FAMILY',
      kind: word,
      default: 'CFU',
      doc: 'The same for calls that nobody answers there.',
    }),
    mobileGateway: setting({
      env: 'PBX_MOBILE_GATEWAY',
      kind: kind.orNothing(kind.matching(/^\+?[0-9]{1,20}$/, 'a number, such as +4930123459')),
      default: '',
      doc: 'Number that mobile telephones call to be put through (mobile.PrepareDial), where the dialplan has one. Left out: no such calls.',
    }),
    ringSeconds: setting({
      env: 'PBX_RING_SECONDS',
      kind: kind.integer(1, 600),
      default: '30',
      doc: "How long the user's own device may ring after a click to dial.",
    }),
  },
  presence: {
    contacts: setting({
      env: 'PRESENCE_CONTACTS',
      kind: kind.flag,
      default: 'true',
      doc: 'Whether telephones are contacts that users can add: tweber@pbx.example.org and 340@pbx.example.org.',
    }),
    visibleTo: setting({
      env: 'PRESENCE_VISIBLE_TO',
      kind: kind.oneOf(visibilityRules),
      default: 'domain',
      doc: 'Who may see telephones: domain (all of XMPP_USER_DOMAINS), group (who shares a group of the directory) or list (PRESENCE_WATCHERS).',
    }),
    watchers: setting({
      env: 'PRESENCE_WATCHERS',
      kind: kind.orNothing(kind.listOf(kind.accountOrDomain)),
      default: '',
      doc: 'JIDs and domains that may see telephones where PRESENCE_VISIBLE_TO is list, with commas.',
    }),
    roster: setting({
      env: 'PRESENCE_ROSTER',
      kind: kind.oneOf(['none', 'privilege', 'ejabberd']),
      default: 'none',
      doc: "Who puts the telephones of a user's groups into the user's roster: none, privilege (XEP-0356; Prosody) or ejabberd (its HTTP API).",
    }),
    ejabberdApi: setting({
      env: 'EJABBERD_API_URL',
      kind: kind.orNothing(kind.httpUrl),
      default: '',
      doc: "ejabberd's HTTP API (mod_http_api), such as http://127.0.0.1:5280/api: for rosters, and to know who is online.",
    }),
    ejabberdToken: setting({
      env: 'EJABBERD_API_TOKEN',
      kind: kind.orNothing(kind.text),
      default: '',
      secret: true,
      doc: 'Bearer token for that API. Left out: the API lets this host in by its address.',
    }),
    ownResource: setting({
      env: 'PRESENCE_OWN_RESOURCE',
      kind: kind.flag,
      default: 'false',
      doc: "Whether telephones also show as a resource of their user's own JID. Read docs/presence.md first: the server must trust the bridge with every address.",
    }),
    activity: setting({
      env: 'PRESENCE_ACTIVITY',
      kind: kind.flag,
      default: 'false',
      doc: 'Whether who is on the phone has that user activity (XEP-0108), where the server lets the bridge publish it.',
    }),
    follow: setting({
      env: 'PRESENCE_DND_FROM_CHAT',
      kind: kind.orNothing(kind.listOf(kind.text)),
      default: '',
      doc: 'User names whose telephone is set to do-not-disturb (and paused in queues) while their chat status is; * for all.',
    }),
    perSecond: setting({
      env: 'PRESENCE_PER_SECOND',
      kind: kind.integer(10, 1_000_000),
      default: '2000',
      doc: 'Presence stanzas per second at the most. Prosody routes about 4000 stanzas a second, ejabberd 10000.',
    }),
    maxWatches: setting({
      env: 'MAX_PRESENCE_SUBSCRIPTIONS',
      kind: kind.integer(1, 100_000_000),
      default: '2000000',
      doc: 'Presence subscriptions kept at a time; further ones are refused. About 60 bytes each.',
    }),
  },
  directory: {
    file: setting({
      env: 'DIRECTORY_FILE',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'YAML file of users (deploy/users.example.yaml). Left out: users are discovered from Asterisk.',
    }),
  },
  phonebook: {
    country: setting({
      env: 'PHONE_COUNTRY',
      kind: kind.country,
      default: 'DE',
      doc: 'Country of the telephone system, two letters: tells what numbers without country code mean.',
    }),
    file: setting({
      env: 'PHONEBOOK_FILE',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'CSV file (docs/phonebook.md) or vCards (*.vcf) of people who are no users. Read again when it changes.',
    }),
    ldapUrl: setting({
      env: 'PHONEBOOK_LDAP_URL',
      kind: kind.orNothing(kind.ldapUrl),
      default: '',
      doc: 'LDAP server with people: ldap://host:port, ldaps:// for TLS.',
    }),
    ldapStartTls: setting({
      env: 'PHONEBOOK_LDAP_STARTTLS',
      kind: kind.flag,
      default: 'false',
      doc: 'Whether to ask an ldap:// server for TLS before anything else is said.',
    }),
    ldapCa: setting({
      env: 'PHONEBOOK_LDAP_CA',
      kind: kind.orNothing(kind.certificates),
      default: '',
      doc: "File with the CA certificates (PEM) that the LDAP server's certificate must descend from. Left out: those of Node.js.",
    }),
    ldapBindDn: setting({
      env: 'PHONEBOOK_LDAP_BIND_DN',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'Who reads there. Left out: anonymous.',
    }),
    ldapPassword: setting({
      env: 'PHONEBOOK_LDAP_PASSWORD',
      kind: kind.orNothing(kind.text),
      default: '',
      secret: true,
      doc: 'Password of that account.',
    }),
    ldapBase: setting({
      env: 'PHONEBOOK_LDAP_BASE',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'Where people are looked for, such as ou=people,dc=example,dc=org. Everything below is read.',
    }),
    ldapFilter: setting({
      env: 'PHONEBOOK_LDAP_FILTER',
      kind: kind.ldapFilter,
      default: '(objectClass=person)',
      doc: 'Which entries are people, as RFC 4515 writes it.',
    }),
    ldapAttributes: setting({
      env: 'PHONEBOOK_LDAP_ATTRIBUTES',
      kind: kind.listOf(kind.ldapAttribute),
      // RFC 2798, RFC 4519, RFC 4524; `ipPhone` and `company` are Active Directory's.
      default:
        'firstname:givenName,surname:sn,displayname:displayName,displayname:cn,organisation:o,organisation:company,email:mail,labels:businessCategory,phone:telephoneNumber,phone:ipPhone,fax:facsimileTelephoneNumber,mobile:mobile,homephone:homePhone',
      doc: 'Which attributes are read, and as what: field:attribute, with commas; in place of all of the default. Of several for a name the first one counts that is there, numbers and labels are taken from all.',
    }),
    vcards: setting({
      env: 'PHONEBOOK_VCARDS',
      kind: kind.flag,
      default: 'false',
      doc: "Whether numbers are taken from the users' own vCards on the XMPP server, too.",
    }),
    refreshMinutes: setting({
      env: 'PHONEBOOK_REFRESH_MINUTES',
      kind: kind.integer(1, 10_080),
      default: '60',
      doc: 'How often LDAP and vCards are read.',
    }),
    visibleTo: setting({
      env: 'PHONEBOOK_VISIBLE_TO',
      kind: kind.orNothing(kind.listOf(kind.sourceGroup)),
      default: '',
      doc: 'Who may see a source: source:group of the directory, with commas, such as ldap:sales,ldap:board. Sources: directory, file, ldap, vcard. One that is not named is for everybody.',
    }),
    maxEntries: setting({
      env: 'PHONEBOOK_MAX_ENTRIES',
      kind: kind.integer(1, 1_000_000),
      default: '100000',
      doc: 'Entries taken from each source at the most. A thousand take about 1 MB.',
    }),
  },
  journal: {
    entries: setting({
      env: 'JOURNAL_ENTRIES',
      kind: kind.integer(0, 10_000),
      default: '500',
      doc: 'Calls that are kept in the journal of each user; the oldest go first. 0: no journal is kept.',
    }),
    days: setting({
      env: 'JOURNAL_DAYS',
      kind: kind.integer(1, 36_500),
      default: '180',
      doc: 'Calls that are older than so many days leave the journal.',
    }),
    cdrFile: setting({
      env: 'CDR_FILE',
      kind: kind.orNothing(kind.text),
      default: '',
      doc: 'Call records of Asterisk in CSV (Master.csv) that the journal is completed from after the bridge was away. Left out: it is not.',
    }),
    cdrColumns: setting({
      env: 'CDR_COLUMNS',
      kind: kind.listOf(kind.matching(/^[a-z]+$/, 'a name such as src')),
      default:
        'accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags,uniqueid,userfield',
      doc: 'Columns of CDR_FILE in their order. The default is that of cdr_csv; cdr_custom has its own.',
    }),
    cdrUrl: setting({
      env: 'CDR_URL',
      kind: kind.orNothing(kind.databaseUrl),
      default: '',
      secret: true,
      doc: 'The same in a database instead (cdr_pgsql, cdr_adaptive_odbc, FreePBX): postgres://user:password@host/asterisk, mysql://user:password@host/asteriskcdrdb or sqlite:///path; it is only read.',
    }),
    cdrTable: setting({
      env: 'CDR_TABLE',
      kind: kind.matching(
        /^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/,
        'the name of a table, such as cdr or asterisk.cdr',
      ),
      default: 'cdr',
      doc: 'Its table there, upper and lower case as the database has it.',
    }),
    cdrTimeZone: setting({
      env: 'CDR_TIME_ZONE',
      kind: kind.orNothing(kind.timeZone),
      default: '',
      doc: "Time zone that call records are written in: Asterisk's own, such as Europe/Berlin; UTC for usegmtime=yes, or timezone=UTC of cdr_pgsql. Left out: that of the bridge.",
    }),
  },
  queues: {
    missed: setting({
      env: 'QUEUE_MISSED_CALLS',
      kind: kind.integer(0, 10_000),
      default: '1000',
      doc: 'Calls that nobody took that are kept for each queue (queue.FindMissed); the oldest go first. 0: none are kept.',
    }),
    missedDays: setting({
      env: 'QUEUE_MISSED_DAYS',
      kind: kind.integer(1, 36_500),
      default: '30',
      doc: 'Calls that nobody took and that are older than so many days go.',
    }),
  },
  store: {
    kind: setting({
      env: 'STORE',
      kind: kind.oneOf(['memory', 'redis']),
      default: 'memory',
      doc: 'Where sessions and subscriptions are kept: memory (gone after a restart) or redis.',
    }),
    redis: setting({
      env: 'REDIS_URL',
      kind: kind.redisUrl,
      default: 'redis://127.0.0.1:6379',
      // It may hold a password.
      secret: true,
      doc: 'Redis server: redis://host:port/database, rediss:// for TLS.',
    }),
    redisPassword: setting({
      env: 'REDIS_PASSWORD',
      kind: kind.orNothing(kind.text),
      default: '',
      secret: true,
      doc: 'Password of the Redis server.',
    }),
    redisTlsCa: setting({
      env: 'REDIS_TLS_CA',
      kind: kind.orNothing(kind.certificates),
      default: '',
      doc: "File with the CA certificates (PEM) that Redis's certificate must descend from. Left out: those of Node.js.",
    }),
    redisPrefix: setting({
      env: 'REDIS_PREFIX',
      kind: kind.matching(/^[\x21-\x7e]{1,64}$/, 'at most 64 ASCII characters without blanks'),
      default: 'offhook:',
      doc: 'In front of every Redis key. Two bridges on one Redis need two prefixes.',
    }),
    auditLength: setting({
      env: 'AUDIT_STREAM_LENGTH',
      kind: kind.integer(0, 10_000_000),
      default: '0',
      doc: 'About how many audit entries a Redis stream keeps besides the log (REDIS_PREFIX + audit). 0: no stream.',
    }),
  },
  archive: {
    url: setting({
      env: 'ARCHIVE_URL',
      kind: kind.orNothing(kind.databaseUrl),
      default: '',
      secret: true,
      doc: 'Where the XMPP server keeps its message archive (docs/archive.md): sqlite:///path, postgres://user:password@host/database or mysql://…; it is only read. Left out: the module archive answers not-available.',
    }),
    timeZone: setting({
      env: 'ARCHIVE_TIME_ZONE',
      kind: kind.timeZone,
      default: 'UTC',
      doc: 'Time zone in which dates of the archive are meant and told, such as Europe/Berlin.',
    }),
    sqlite: setting({
      env: 'ARCHIVE_SQLITE',
      kind: kind.matching(/^[\w./-]{1,200}$/, 'the name or path of a program'),
      default: 'sqlite3',
      doc: "SQLite's program, where ARCHIVE_URL or CDR_URL names a file (Debian package sqlite3).",
    }),
  },
  recordings: {
    dir: setting({
      env: 'RECORDINGS_DIR',
      kind: kind.orNothing(kind.absolutePath),
      default: '',
      doc: 'Directory of recordings (docs/recordings.md), shared with Asterisk: it writes there, the bridge reads there and keeps a note beside each. Left out: nothing is recorded.',
      example: '/var/spool/asterisk/offhook',
    }),
    pbxDir: setting({
      env: 'RECORDINGS_PBX_DIR',
      kind: kind.orNothing(kind.absolutePath),
      default: '',
      doc: 'The same directory as Asterisk sees it. Left out: under the same name.',
    }),
    upload: setting({
      env: 'RECORDINGS_UPLOAD',
      kind: kind.orNothing(kind.domain),
      default: '',
      doc: "JID of the XMPP server's upload service (XEP-0363), such as upload.example.org: recordings are then sent as links to clients that take no streams. Whoever has such a link can hear the recording.",
    }),
    minFreeMegabytes: setting({
      env: 'RECORDINGS_MIN_FREE_MB',
      kind: kind.integer(0, 10_000_000),
      default: '500',
      doc: 'With less room than this on the disk nothing more is recorded; an hour of sound takes 58 MB.',
    }),
    keepDays: setting({
      env: 'RECORDINGS_KEEP_DAYS',
      kind: kind.integer(0, 36_500),
      default: '90',
      doc: 'Older recordings are removed. 0: never.',
    }),
    maxMegabytes: setting({
      env: 'RECORDINGS_MAX_MB',
      kind: kind.integer(0, 1_000_000_000),
      default: '0',
      doc: 'When all recordings together take more than this, the oldest are removed. 0: as much as there is room for.',
    }),
  },
  http: {
    listen: setting({
      env: 'HTTP_LISTEN',
      kind: kind.orNothing(kind.listen),
      default: '127.0.0.1:9642',
      doc: 'Address and port of health, readiness and metrics. Empty: none of them.',
    }),
  },
  limits: {
    commandSeconds: setting({
      env: 'COMMAND_TIMEOUT_SECONDS',
      kind: kind.integer(1, 120),
      default: '10',
      doc: 'A command that takes longer is answered with remote-server-timeout.',
    }),
    ratePerSecond: setting({
      env: 'RATE_LIMIT_PER_SECOND',
      kind: kind.integer(1, 100_000),
      default: '20',
      doc: 'Commands that one user may send per second, on average.',
    }),
    rateBurst: setting({
      env: 'RATE_LIMIT_BURST',
      kind: kind.integer(1, 100_000),
      default: '40',
      doc: 'Commands that one user may send at once after a rest.',
    }),
    sessions: setting({
      env: 'MAX_SESSIONS',
      kind: kind.integer(1, 10_000_000),
      default: '100000',
      doc: 'Sessions kept at a time; further ones are refused.',
    }),
  },
  log: {
    level: setting({
      env: 'LOG_LEVEL',
      kind: kind.oneOf(logLevels),
      default: 'info',
      doc: `From what level on to log: ${logLevels.join(', ')}.`,
    }),
    format: setting({
      env: 'LOG_FORMAT',
      kind: kind.oneOf(logFormats),
      default: 'auto',
      doc: 'json (one object a line), pretty (for people), or auto (pretty on a terminal).',
    }),
    maskNumbers: setting({
      env: 'LOG_MASK_NUMBERS',
      kind: kind.flag,
      default: 'false',
      doc: 'Whether telephone numbers in the log are hidden but for their last two digits.',
    }),
  },
};

/** The table's shape. */
export type Settings = typeof settings;
