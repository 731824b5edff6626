/** The configuration file of a Prosody under test. */
import { loopback } from './ports.ts';
import type { ProsodyOptions } from './prosody.ts';

/** Where this Prosody lives. */
interface Place {
  readonly run: string;
  readonly plugins: readonly string[];
  readonly ports: { readonly c2s: number; readonly component: number };
}

const modules = [
  ...['roster', 'saslauth', 'disco', 'presence', 'message', 'iq', 'ping', 'version', 'time', 'carbons'],
  ...['mam', 'smacks', 'private', 'pep', 'blocklist'],
];

/** The text of `prosody.cfg.lua`. */
export function prosodyConfig(options: ProsodyOptions, { run, plugins, ports }: Place): string {
  const { domain, component, conflict = 'kick_old', cards = 'vcard' } = options;
  const list = (values: readonly string[]) =>
    `{ ${values.map((value) => JSON.stringify(value)).join('; ')} }`;
  // Both modules have to be loaded on both sides, or nothing is delegated.
  const extensions = [
    ...(options.delegate ? ['delegation'] : []),
    ...(options.privilege ? ['privilege'] : []),
  ];
  return `
run_as_root = true
daemonize = false
pidfile = ${JSON.stringify(`${run}/prosody.pid`)}
data_path = ${JSON.stringify(`${run}/data`)}
${plugins.length > 0 ? `plugin_paths = ${list(plugins)}` : ''}
log = { info = "*console" }
interfaces = ${list([loopback])}
local_interfaces = ${list([loopback])}
c2s_ports = { ${ports.c2s} }
component_ports = { ${ports.component} }
c2s_direct_tls_ports = {}
modules_enabled = ${list([...modules, cards])}
modules_disabled = { "s2s", "tls" }
authentication = "internal_plain"
${options.sql ? archiveInSql(run, options.sql) : 'storage = "internal"'}
archive_expires_after = "1d"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
smacks_hibernation_time = 30
${options.globalConfig ?? ''}

VirtualHost ${JSON.stringify(domain)}
  modules_enabled = ${list(extensions)}
  ${delegations(options)}
  ${privileges(options)}
  ${options.hostConfig ?? ''}

Component ${JSON.stringify(component.jid)}
  component_secret = ${JSON.stringify(component.secret)}
  component_conflict_resolve = ${JSON.stringify(conflict)}
  validate_from_addresses = ${!options.anySender}
  modules_enabled = ${list(extensions)}
  ${options.componentConfig ?? ''}
`;
}

/** Only the archives are in SQL, as many servers have it: accounts stay where the tests write them. */
function archiveInSql(run: string, where: NonNullable<ProsodyOptions['sql']>): string {
  const login =
    where === true
      ? { driver: 'SQLite3', database: `${run}/data/prosody.sqlite` }
      : {
          driver: 'MySQL',
          host: where.host,
          port: where.port,
          username: where.user,
          password: where.password,
          database: where.database,
        };
  const fields = Object.entries(login).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `storage = { archive = "sql" }
default_storage = "internal"
sql = { ${fields.join(', ')} }`;
}

function delegations({ delegate, component }: ProsodyOptions): string {
  const entries = (delegate ?? []).map(
    (namespace) => `[${JSON.stringify(namespace)}] = { jid = ${JSON.stringify(component.jid)} }`,
  );
  return entries.length > 0 ? `delegations = { ${entries.join('; ')} }` : '';
}

function privileges({ privilege, component }: ProsodyOptions): string {
  if (!privilege) return '';
  const rights = 'roster = "both"; message = "outgoing"; presence = "managed_entity"';
  const iq = 'iq = { ["http://jabber.org/protocol/pubsub"] = "set"; ["jabber:iq:private"] = "get" }';
  return `privileged_entities = { [${JSON.stringify(component.jid)}] = { ${rights}; ${iq} } }`;
}
