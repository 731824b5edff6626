/** The TCP or TLS connection under a stream, with the few methods the XMPP library expects of its socket. */

import { EventEmitter } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Transport } from '@xmpp/component';
import type { Target } from './service.ts';

/** How to reach the server. */
export interface SocketOptions extends Target {
  /** PEM certificates that the server's may be signed by; the system's authorities where left out. Only for TLS. */
  readonly ca?: string | undefined;
}

/**
 * Emits `connect` (after the TLS handshake where there is one), `data` with text, `drain`, `error`, `close`.
 *
 * Exists because the library decodes every chunk by itself, which tears UTF-8 sequences at chunk borders, and
 * knows no TLS. Here the decoder lives as long as the connection.
 */
export class ServerSocket extends EventEmitter implements Transport {
  readonly #options: SocketOptions;
  #socket: Socket | undefined;

  constructor(options: SocketOptions) {
    super();
    this.#options = options;
  }

  /** Bytes that were written but that the kernel has not taken yet. */
  get writableLength(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Bytes that the kernel has taken. */
  get accepted(): number {
    const socket = this.#socket;
    return socket === undefined ? 0 : socket.bytesWritten - socket.writableLength;
  }

  connect(): void {
    const { host, port, tls, ca } = this.#options;
    // RFC 6066 §3: an address is no server name.
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = tls
      ? connectTls({ host, port, ...name, ...(ca === undefined ? {} : { ca }) })
      : connectTcp({ host, port });
    this.#socket = socket;
    socket.setEncoding('utf8');
    // Writes are joined before they get here: waiting for more would only delay them.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.once(tls ? 'secureConnect' : 'connect', () => this.emit('connect'));
    socket.on('data', (text: string) => {
      if (!socket.destroyed) this.emit('data', text);
    });
    socket.on('drain', () => this.emit('drain'));
    socket.on('error', (error) => this.emit('error', error));
    socket.once('close', (failed) => this.emit('close', failed));
  }

  /** False: wait for `drain` before writing more. */
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    return this.#socket?.write(text, done) ?? false;
  }

  end(): void {
    this.#socket?.end();
  }

  /** Ends the connection at once; `close` follows. */
  destroy(): void {
    this.#socket?.destroy();
  }
}
