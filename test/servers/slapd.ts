/** A real LDAP server, OpenLDAP's slapd, in a folder of its own. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { authority, certificate } from './certificate.ts';
import { type OnProgress, tree, triplet } from './debian.ts';
import { runFolder } from './folders.ts';
import { accepts, freePort, loopback } from './ports.ts';
import { fromTree } from './process.ts';
import { type Server, startServer } from './server.ts';
import { slapdTree } from './trees.ts';

/** A running slapd. Its suffix is `dc=example,dc=org`; anonymous clients may read. */
export interface SlapdServer extends Server {
  readonly url: string;
  /** The same server, TLS from the first byte. */
  readonly tlsUrl: string;
  /** PEM of the authority to trust, also after StartTLS. */
  readonly ca: string;
  /** Who may do everything. */
  readonly bindDn: string;
  readonly password: string;
}

const suffix = 'dc=example,dc=org';

/** Starts slapd with an empty database, and at most `sizeLimit` entries an answer or page. */
export async function startSlapd(
  options: { readonly sizeLimit?: number; readonly onProgress?: OnProgress } = {},
): Promise<SlapdServer> {
  const root = await tree(slapdTree, options.onProgress);
  const folder = await runFolder('slapd');
  const [port, tlsPort] = [await freePort(), await freePort()];
  const issuer = await authority(folder.path);
  const { cert, key } = await certificate(issuer, 'slapd', [loopback]);
  const data = join(folder.path, 'data');
  await mkdir(data);
  const schema = (name: string) => `include ${join(root, 'etc/ldap/schema', name)}.schema`;
  const config = join(folder.path, 'slapd.conf');
  const bindDn = `cn=admin,${suffix}`;
  const password = 'ldap-secret';
  await writeFile(
    config,
    `${['core', 'cosine', 'inetorgperson'].map(schema).join('\n')}
pidfile ${join(folder.path, 'slapd.pid')}
argsfile ${join(folder.path, 'slapd.args')}
modulepath ${join(root, 'usr/lib/ldap')}
moduleload back_mdb
TLSCACertificateFile ${issuer.cert}
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
sizelimit size.soft=${options.sizeLimit ?? 500} size.hard=unlimited size.pr=${options.sizeLimit ?? 500} size.prtotal=unlimited
database mdb
suffix "${suffix}"
rootdn "${bindDn}"
rootpw ${password}
directory ${data}
`,
  );
  const url = `ldap://${loopback}:${port}`;
  const tlsUrl = `ldaps://${loopback}:${tlsPort}`;
  const command = await fromTree(root, 'usr/sbin/slapd', ['-f', config, '-h', `${url} ${tlsUrl}`, '-d', '0']);
  const server = await startServer({
    version: 'OpenLDAP slapd',
    folder,
    host: loopback,
    command: { ...command, cwd: folder.path, env: { LTDL_LIBRARY_PATH: join(root, 'usr/lib', triplet()) } },
    ready: () => accepts(port),
  });
  return Object.assign(server, { url, tlsUrl, ca: issuer.pem, bindDn, password });
}
