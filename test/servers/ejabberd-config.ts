/** The configuration file of an ejabberd under test. */
import type { EjabberdOptions } from './ejabberd.ts';
import { loopback } from './ports.ts';

/** The text of `ejabberd.yml`. Strings are written as JSON, which is YAML. */
export function ejabberdConfig(
  options: EjabberdOptions,
  ports: { readonly c2s: number; readonly component: number; readonly http: number },
  run: string,
): string {
  const { domain, component } = options;
  const text = JSON.stringify;
  return `
hosts: [${text(domain)}]
loglevel: info
log_rotate_size: infinity
auth_method: internal
auth_password_format: plain
new_sql_schema: false
${options.sql ? `sql_type: sqlite\nsql_database: ${text(`${run}/archive.sqlite`)}\n` : ''}negotiation_timeout: 30s
listen:
  - port: ${ports.c2s}
    ip: ${text(loopback)}
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: false
  - port: ${ports.component}
    ip: ${text(loopback)}
    module: ejabberd_service
    global_routes: false
    check_from: ${!options.anySender}
    hosts:
      ${text(component.jid)}:
        password: ${text(component.secret)}
  - port: ${ports.http}
    ip: ${text(loopback)}
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
${options.upload ? '      /upload: mod_http_upload\n' : ''}acl:
  local:
    user_regexp: ""
  loopback:
    ip: 127.0.0.0/8
  component:
    server: ${text(component.jid)}
access_rules:
  component:
    - allow: component
api_permissions:
  tests:
    from: mod_http_api
    who:
      access:
        allow: loopback
    what: "*"
modules:
  mod_admin_extra: {}
  mod_blocking: {}
  mod_carboncopy: {}
  mod_disco: {}
  mod_http_api: {}
  mod_mam:
    default: always
${options.sql ? '    db_type: sql\n' : ''}  mod_offline: {}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resume_timeout: 30s
  mod_time: {}
  mod_vcard: {}
  mod_version: {}
${options.upload ? upload(domain, ports.http, run) : ''}${delegation(options)}${privilege(options)}${options.extraConfig ?? ''}
`;
}

/** By default only accounts of the server's own hosts may upload. */
function upload(domain: string, port: number, run: string): string {
  return `  mod_http_upload:
    hosts: [${JSON.stringify(`upload.${domain}`)}]
    put_url: ${JSON.stringify(`http://${loopback}:${port}/upload`)}
    docroot: ${JSON.stringify(`${run}/upload`)}
    access: component
`;
}

function delegation({ delegate = [] }: EjabberdOptions): string {
  if (delegate.length === 0) return '';
  const namespaces = delegate.map(
    (namespace) => `      ${JSON.stringify(namespace)}:\n        access: component\n`,
  );
  return `  mod_delegation:\n    namespaces:\n${namespaces.join('')}`;
}

function privilege(options: EjabberdOptions): string {
  if (!options.privilege) return '';
  return `  mod_privilege:
    roster:
      both: component
    message:
      outgoing: component
    presence:
      managed_entity: component
`;
}
