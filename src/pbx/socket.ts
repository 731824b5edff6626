import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** TLS towards Asterisk (`tlsenable` of manager.conf). The certificate is always checked, there is no switch to turn it off. */
export interface AmiTls {
  /** PEM of the certificate authorities that count; the system's where left out. */
  readonly ca?: string;
  /** Name the certificate must bear, where that is not the host that is connected to. */
  readonly serverName?: string;
}

/** Where and how to connect. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls?: AmiTls | undefined;
  /** Limit for name look-up, TCP and TLS together, milliseconds. */
  readonly connectTimeoutMs: number;
  /** Destroys the socket when aborted, at whatever stage. */
  readonly signal?: AbortSignal;
}

/**
 * Connects. With `onBytes`, what arrives is read into one buffer that is used again and again, and handed over as a view
 * valid during the call; without, the socket emits `data` as usual.
 *
 * Rejects with an Error whose message says what to check; nothing stays open then.
 */
export function openSocket(address: Address, onBytes?: (bytes: Buffer) => void): Promise<Socket> {
  const { host, port, tls, connectTimeoutMs, signal } = address;
  const where = `${host}:${port}`;
  const reading = onBytes === undefined ? {} : { onread: reusedBuffer(onBytes) };
  return new Promise((resolve, reject) => {
    const socket: Socket =
      tls === undefined
        ? connectTcp({ host, port, ...reading })
        : connectTls({
            host,
            port,
            ...reading,
            rejectUnauthorized: true,
            minVersion: 'TLSv1.2',
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            // SNI takes names only (RFC 6066 §3); addresses are checked against the certificate all the same.
            ...serverName(tls.serverName ?? host),
          });
    const onAbort = () => socket.destroy(new Error('stopped'));
    signal?.addEventListener('abort', onAbort);
    socket.once('close', () => signal?.removeEventListener('abort', onAbort));
    const watchdog = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${where} within ${connectTimeoutMs / 1000} s`));
    }, connectTimeoutMs);
    const failed = (error: Error) => {
      clearTimeout(watchdog);
      socket.destroy();
      reject(new Error(explain(error, where, tls !== undefined), { cause: error }));
    };
    socket.once('error', failed);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(watchdog);
      socket.off('error', failed);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}

function serverName(name: string): { servername: string } | Record<string, never> {
  return isIP(name) === 0 ? { servername: name } : {};
}

function reusedBuffer(onBytes: (bytes: Buffer) => void) {
  const buffer = Buffer.allocUnsafe(65_536);
  return {
    buffer,
    callback: (size: number) => {
      onBytes(buffer.subarray(0, size));
      // True keeps the socket reading: a reader that pauses is dropped by Asterisk after its `writetimeout`.
      return true;
    },
  };
}

function explain(error: Error, where: string, tls: boolean): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ECONNREFUSED')
    return `nobody listens on ${where}: is Asterisk up, and AMI enabled in manager.conf?`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name of ${where} cannot be resolved`;
  // System errors are one word (ETIMEDOUT); OpenSSL's and Node's about certificates are several.
  if (tls && (code.includes('_') || code === 'EPROTO')) {
    return `TLS with ${where} failed (${code}): check the certificate of Asterisk and the configured CA`;
  }
  return error.message === '' ? `cannot connect to ${where} (${code})` : error.message;
}
