/** XMPP servers with the sample configurations of `deploy/`, changed only where another folder, a free port or no TLS must be. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tree } from '../servers/debian.ts';
import { erlang } from '../servers/ejabberd.ts';
import { type RunFolder, runFolder } from '../servers/folders.ts';
import { accepts, freePort, loopback } from '../servers/ports.ts';
import { findSoftware } from '../servers/prosody.ts';
import { startServer } from '../servers/server.ts';
import { ejabberdTrees, type prosodyTrees } from '../servers/trees.ts';
import type { XmppServer, XmppUser } from '../servers/xmpp.ts';

/** One sample configuration a level. */
export const levels = ['component', 'delegation', 'privileges'] as const;
export type Level = (typeof levels)[number];

const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const domain = 'example.org';
const component = { jid: 'pbx.example.org', secret: 'CHANGE-ME' };

/** A file of `deploy/` with texts replaced. Throws where one of them is not in it (any more). */
async function sample(path: string, changes: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(deploy, path), 'utf8');
  return Object.entries(changes).reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`deploy/${path} does not hold '${from}'`);
    return changed.replace(from, () => to);
  }, text);
}

async function freePorts() {
  return { c2s: await freePort(), component: await freePort(), http: await freePort() };
}

/** Prosody at a level. */
export async function prosodyAt(
  level: Level,
  version: keyof typeof prosodyTrees,
  users: readonly XmppUser[],
): Promise<XmppServer> {
  const folder = await runFolder(`level-${level}`);
  const ports = await freePorts();
  const data = join(folder.path, 'data');
  const accounts = join(data, domain.replace('.', '%2e'), 'accounts');
  await mkdir(accounts, { recursive: true });
  await mkdir(join(folder.path, 'certs'));
  const adduser = async ({ name, password }: XmppUser) => {
    const account = `return { ["password"] = ${JSON.stringify(password)}; };\n`;
    await writeFile(join(accounts, `${name}.dat`), account);
  };
  for (const user of users) await adduser(user);
  const config = join(folder.path, 'prosody.cfg.lua');
  const text = await sample(`prosody/${level}.cfg.lua`, {
    '"/run/prosody/prosody.pid"': JSON.stringify(join(folder.path, 'prosody.pid')),
    '"/var/lib/prosody"': JSON.stringify(data),
    '"*syslog"': '"*console"',
    'component_ports = { 5347 }': `component_ports = { ${ports.component} }`,
    'c2s_require_encryption = true': 'c2s_require_encryption = false',
    'allow_unencrypted_plain_auth = false': 'allow_unencrypted_plain_auth = true',
    'storage = "internal"': `storage = "internal"; run_as_root = true; c2s_ports = { ${ports.c2s} }; c2s_direct_tls_ports = {}`,
  });
  await writeFile(config, text);
  const software = await findSoftware({ domain, users, component, version }, folder);
  const command = await software.command(config);
  return started(software.version, folder, command, ports, adduser, [ports.c2s, ports.component]);
}

/** ejabberd at a level. Accounts are made by its API, which the tests add where the sample has none, and allow it. */
export async function ejabberdAt(
  level: Level,
  version: keyof typeof ejabberdTrees,
  users: readonly XmppUser[],
): Promise<XmppServer & { readonly apiUrl: string }> {
  const root = await tree(ejabberdTrees[version]);
  const folder = await runFolder(`level-${level}`);
  const ports = await freePorts();
  const listener = `listen:
  - port: ${ports.http}
    ip: ${loopback}
    module: ejabberd_http
    request_handlers:
      /api: mod_http_api
`;
  const permission = 'api_permissions:\n  tests:\n    from: mod_http_api\n    who: all\n    what: register\n';
  const api = {
    'listen:\n': listener,
    'modules:\n': 'modules:\n  mod_http_api: {}\n',
    'auth_method: internal\n': `auth_method: internal\n${permission}`,
  };
  const sampleApi = {
    'port: 5280': `port: ${ports.http}`,
    '- add_rosteritem': '- add_rosteritem\n      - register',
  };
  const config = join(folder.path, 'ejabberd.yml');
  const text = await sample(`ejabberd/${level}.yml`, {
    'certfiles:\n  - /etc/ejabberd/ejabberd.pem\n': '',
    'starttls: true\n    starttls_required: true': 'starttls: false',
    'port: 5222': `port: ${ports.c2s}`,
    'port: 5347': `port: ${ports.component}`,
    ...(level === 'privileges' ? sampleApi : api),
  });
  await writeFile(config, text);
  const adduser = async ({ name, password }: XmppUser) => {
    const body = JSON.stringify({ user: name, host: domain, password });
    const response = await fetch(`http://${loopback}:${ports.http}/api/register`, { method: 'POST', body });
    if (!response.ok) throw new Error(`${name} cannot be registered: ${await response.text()}`);
  };
  const command = await erlang(root, folder.path, config);
  const wanted = [ports.c2s, ports.component, ports.http];
  const server = await started(`ejabberd ${version}`, folder, command, ports, adduser, wanted);
  for (const user of users) await adduser(user);
  return Object.assign(server, { apiUrl: `http://${loopback}:${ports.http}/api` });
}

async function started(
  version: string,
  folder: RunFolder,
  command: Parameters<typeof startServer>[0]['command'],
  ports: { readonly c2s: number; readonly component: number },
  adduser: XmppServer['adduser'],
  wanted: readonly number[],
): Promise<XmppServer> {
  const server = await startServer({
    version,
    folder,
    host: loopback,
    command,
    ready: async () => (await Promise.all(wanted.map((port) => accepts(port)))).every(Boolean),
  });
  return Object.assign(server, {
    domain,
    component,
    c2sPort: ports.c2s,
    componentPort: ports.component,
    adduser,
  });
}
