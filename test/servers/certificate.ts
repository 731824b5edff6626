/** Certificates for servers with TLS: an authority of one run and what it signs. Node can read X.509, not make it. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tree } from './debian.ts';
import { fromTree } from './process.ts';
import { opensslTree } from './trees.ts';

const run = promisify(execFile);

/** Paths of a PEM certificate and its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed authority; `pem` is its certificate's text, for clients to trust. */
export interface Authority extends Certificate {
  readonly folder: string;
  readonly pem: string;
}

/** Makes an authority, valid for a day, whose files lie in `folder`. @throws ServersUnavailable without an openssl program. */
export async function authority(folder: string): Promise<Authority> {
  const [cert, key] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  const subject = ['-subj', '/CN=offhook test authority'];
  await openssl(folder, ['req', '-x509', '-days', '1', ...subject, ...newKey(key), '-out', cert]);
  return { folder, cert, key, pem: await readFile(cert, 'utf8') };
}

/** Makes a certificate, valid for a day, for the given host names or addresses; `name` is that of its files. */
export async function certificate(
  issuer: Authority,
  name: string,
  hosts: readonly string[],
): Promise<Certificate> {
  const file = (ending: string) => join(issuer.folder, `${name}.${ending}`);
  const [request, cert, key, extensions] = [file('csr'), file('pem'), file('key'), file('ext')];
  const names = hosts.map((host) => `${isIP(host) ? 'IP' : 'DNS'}:${host}`);
  await writeFile(extensions, `subjectAltName=${names.join(',')}\n`);
  await openssl(issuer.folder, ['req', '-subj', `/CN=${hosts[0] ?? name}`, ...newKey(key), '-out', request]);
  const signed = ['-CA', issuer.cert, '-CAkey', issuer.key, '-CAcreateserial', '-extfile', extensions];
  await openssl(issuer.folder, ['x509', '-req', '-days', '1', '-in', request, ...signed, '-out', cert]);
  return { cert, key };
}

function newKey(path: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path];
}

/** The host's openssl, else one of the cache. Its configuration file is ours: distributions differ in theirs. */
async function openssl(folder: string, args: readonly string[]): Promise<void> {
  const config = join(folder, 'openssl.cnf');
  await writeFile(
    config,
    '[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n',
  );
  const command = existsSync('/usr/bin/openssl')
    ? { program: '/usr/bin/openssl', args }
    : await fromTree(await tree(opensslTree), 'usr/bin/openssl', args);
  await run(command.program, [...command.args], { env: { OPENSSL_CONF: config }, cwd: folder });
}
