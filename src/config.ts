/** Reads the configuration from environment variables; tells all mistakes at once. */

import { readFileSync } from 'node:fs';
import { closest } from './config/closest.ts';
import { type Kind, unfit } from './config/kinds.ts';
import { type Setting, type Settings, settings } from './config/settings.ts';

/** Environment variables; never `process.env` itself but in `main`. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Values = {
  readonly [Group in keyof Settings]: {
    readonly [Name in keyof Settings[Group]]: Settings[Group][Name] extends { kind: Kind<infer T> }
      ? T
      : never;
  };
};

/** The bridge's configuration, checked and complete. One field a row of the table in `config/settings.ts`. */
export type Config = Omit<Values, 'xmpp' | 'ami' | 'store'> & {
  readonly xmpp: Omit<Values['xmpp'], 'userDomains'> & { readonly userDomains: readonly string[] };
  readonly ami: Omit<Values['ami'], 'feedUsername' | 'feedSecret'> & {
    readonly feedUsername: string;
    readonly feedSecret: string;
  };
  /** REDIS_PASSWORD has become part of `redis`. */
  readonly store: Omit<Values['store'], 'redisPassword'>;
};

/** What {@link readConfig} returns. */
export interface ConfigResult {
  readonly config: Config;
  /** Sentences for the log: variables that look like misspelled settings. */
  readonly warnings: readonly string[];
  /** Every secret text in {@link config}, for the log to keep out. */
  readonly secrets: readonly string[];
}

/** The configuration cannot be used. One readable line a mistake, none of which shows a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly mistakes: readonly string[]) {
    super(mistakes.join('\n'));
  }
}

/**
 * Reads and checks all settings. An empty variable counts as one that is not set, except where the setting says that
 * empty means something. A secret is read from the file that `<NAME>_FILE` names, without the line end at its end.
 *
 * @throws ConfigError with every mistake there is.
 */
export function readConfig(env: Environment): ConfigResult {
  const mistakes: string[] = [];
  const secrets = new Set<string>();
  const read = (setting: Setting<unknown>) => {
    const text = textOf(setting, env, mistakes);
    if (text === undefined) return undefined;
    if (setting.secret && text !== setting.default) secrets.add(text);
    const value = setting.kind.parse(text);
    if (value !== unfit) return value;
    const got = setting.secret ? '' : `, got "${text}"`;
    mistakes.push(`${setting.env}: expected ${setting.kind.expected}${got}`);
    return undefined;
  };
  // The table's type vouches for the values' types; a hole is a mistake, and then nothing is returned.
  const values = mapValues(settings, (group) => mapValues(group, read)) as Values;
  const config = complete(values, mistakes);
  // A name that looks misspelled is mostly the reason why another one is missing.
  if (mistakes.length > 0) throw new ConfigError([...mistakes, ...misspelled(env)]);
  if (config.store.redis.password) secrets.add(config.store.redis.password);
  return { config, warnings: misspelled(env), secrets: [...secrets].filter((secret) => secret !== '') };
}

/** All settings in the order of the table. */
export function allSettings(): readonly Setting<unknown>[] {
  return Object.values(settings).flatMap((group) => Object.values<Setting<unknown>>(group));
}

function textOf(setting: Setting<unknown>, env: Environment, mistakes: string[]): string | undefined {
  const own = env[setting.env];
  const file = setting.secret ? env[`${setting.env}_FILE`] : undefined;
  if (own && file) {
    mistakes.push(`${setting.env} and ${setting.env}_FILE: expected one of them, got both`);
    return undefined;
  }
  if (file) {
    try {
      return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? error.code : error;
      mistakes.push(`${setting.env}_FILE: "${file}" cannot be read (${reason})`);
      return undefined;
    }
  }
  if (own || (own === '' && setting.kind.emptyAllowed)) return own;
  if (setting.default !== undefined) return setting.default;
  const orFile = setting.secret ? ` (or ${setting.env}_FILE)` : '';
  mistakes.push(`${setting.env}${orFile}: missing. ${setting.doc}`);
  return undefined;
}

/** Fills in the defaults that follow from other settings, and checks what belongs together. */
function complete(values: Values, mistakes: string[]): Config {
  const { xmpp, ami, store } = values;
  const parent = xmpp.component?.replace(/^[^.]*\.?/, '');
  if (parent === '' && !xmpp.userDomains) {
    mistakes.push(`XMPP_USER_DOMAINS: missing, and "${xmpp.component}" has no parent domain to take instead`);
  }
  if ((ami.feedUsername === undefined) !== (ami.feedSecret === undefined)) {
    mistakes.push('AMI_FEED_USERNAME and AMI_FEED_SECRET: expected both or neither');
  }
  if (ami.tlsCa !== undefined && ami.tls === false) mistakes.push('AMI_TLS_CA: useless without AMI_TLS=true');
  if (store.redisTlsCa !== undefined && store.redis?.tls === false) {
    mistakes.push('REDIS_TLS_CA: useless unless REDIS_URL starts with rediss://');
  }
  const { ldapUrl, ldapStartTls, ldapCa, ldapBindDn, ldapPassword, ldapBase } = values.phonebook;
  if (
    ldapUrl === undefined &&
    [ldapCa, ldapBindDn, ldapPassword, ldapBase].some((each) => each !== undefined)
  ) {
    mistakes.push('PHONEBOOK_LDAP_URL: missing, other settings of PHONEBOOK_LDAP are there');
  }
  if (ldapUrl !== undefined && ldapBase === undefined) {
    mistakes.push('PHONEBOOK_LDAP_BASE: missing, PHONEBOOK_LDAP_URL needs it');
  }
  if ((ldapBindDn === undefined) !== (ldapPassword === undefined)) {
    mistakes.push('PHONEBOOK_LDAP_BIND_DN and PHONEBOOK_LDAP_PASSWORD: expected both or neither');
  }
  if (ldapStartTls && !ldapUrl?.startsWith('ldap://')) {
    mistakes.push('PHONEBOOK_LDAP_STARTTLS: useless unless PHONEBOOK_LDAP_URL starts with ldap://');
  }
  if (ldapCa !== undefined && ldapUrl?.startsWith('ldap://') && !ldapStartTls) {
    mistakes.push('PHONEBOOK_LDAP_CA: useless without TLS');
  }
  const { visibleTo, watchers, roster, ejabberdApi, ejabberdToken } = values.presence;
  if ((visibleTo === 'list') !== (watchers !== undefined)) {
    mistakes.push('PRESENCE_VISIBLE_TO=list and PRESENCE_WATCHERS: expected both or neither');
  }
  if (roster === 'ejabberd' && ejabberdApi === undefined) {
    mistakes.push('EJABBERD_API_URL: missing, PRESENCE_ROSTER=ejabberd needs it');
  }
  if (ejabberdToken !== undefined && ejabberdApi === undefined) {
    mistakes.push('EJABBERD_API_TOKEN: useless without EJABBERD_API_URL');
  }
  if (values.journal.cdrFile !== undefined && values.journal.cdrUrl !== undefined) {
    mistakes.push('CDR_FILE and CDR_URL: expected one of them, got both');
  }
  if (values.recordings.pbxDir !== undefined && values.recordings.dir === undefined) {
    mistakes.push('RECORDINGS_PBX_DIR: useless without RECORDINGS_DIR');
  }
  if (xmpp.tlsCa !== undefined && xmpp.service?.startsWith('xmpp://')) {
    mistakes.push('XMPP_TLS_CA: useless unless XMPP_SERVICE starts with xmpps://');
  }
  const { redisPassword, ...keptStore } = store;
  const redis = store.redis && { ...store.redis, password: redisPassword ?? store.redis.password };
  return {
    ...values,
    store: { ...keptStore, redis },
    xmpp: { ...xmpp, userDomains: xmpp.userDomains ?? (parent ? [parent] : []) },
    ami: { ...ami, feedUsername: ami.feedUsername ?? ami.username, feedSecret: ami.feedSecret ?? ami.secret },
  };
}

// Other programs' variables begin like ours, too (HTTP_PROXY, REDIS_PORT by Kubernetes): these only where one comes close.
const ownPrefixes = ['XMPP_', 'AMI_', 'PBX_', 'PRESENCE_', 'PHONEBOOK_'];
const sharedPrefixes = [
  'ARCHIVE_',
  'RECORDINGS_',
  'CDR_',
  'DIRECTORY_',
  'STORE_',
  'REDIS_',
  'HTTP_',
  'LOG_',
  'COMMAND_',
  'RATE_',
  'MAX_',
];

function misspelled(env: Environment): string[] {
  const known = new Set(
    allSettings().flatMap(({ env: name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
  );
  return Object.keys(env).flatMap((name) => {
    if (known.has(name)) return [];
    const ours = ownPrefixes.some((prefix) => name.startsWith(prefix));
    if (!ours && !sharedPrefixes.some((prefix) => name.startsWith(prefix))) return [];
    const meant = closest(name, known);
    if (meant !== undefined) return [`${name} is no setting of this program, did you mean ${meant}?`];
    return ours ? [`${name} is no setting of this program and has no effect`] : [];
  });
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
