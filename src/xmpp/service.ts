/** The address of a server's component port. */

import { isIP } from 'node:net';

/** Where the server listens for components. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; ejabberd's `tls: true` listener. Prosody has none. */
  readonly tls: boolean;
}

/** The port that XEP-0114 servers listen on unless told otherwise. */
const defaultPort = 5347;

/**
 * Reads `xmpp://host[:port]` or `xmpps://host[:port]` (TLS).
 *
 * @throws TypeError with a sentence for the operator where it is neither.
 */
export function parseService(service: string): Target {
  const url = URL.canParse(service) ? new URL(service) : undefined;
  if (url === undefined || !['xmpp:', 'xmpps:'].includes(url.protocol) || url.hostname === '') {
    throw new TypeError(
      `"${service}" is no component port: write xmpp://host:port, or xmpps://host:port for TLS`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: url.port === '' ? defaultPort : Number(url.port), tls: url.protocol === 'xmpps:' };
}

/** The target as logs and reasons show it. */
export function showTarget({ host, port }: Target): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
