/** How a Redis client gets its socket: as the library would make it, but never without somebody who hears its errors. */

import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector } from 'ioredis';

/** Where to connect, and whom to trust. */
export interface RedisSocket {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** CA certificates in PEM; undefined = those of Node.js. */
  readonly ca?: string | undefined;
}

/** How long a socket that was told to end may take before it is destroyed, milliseconds. */
const disconnectMs = 2000;

/** Makes the `Connector` of an ioredis client. */
export function connectorTo({ host, port, tls, ca }: RedisSocket) {
  return class extends AbstractConnector {
    constructor() {
      super(disconnectMs);
    }

    async connect() {
      this.connecting = true;
      const trust = ca === undefined ? {} : { ca };
      this.stream = tls ? connectTls({ host, port, ...trust }) : connectTcp({ host, port });
      // COMPAT: ioredis hears the first error only. A TLS peer that is refused sends an alert after that, and an error that
      // nobody hears ends the process.
      this.stream.on('error', () => {});
      return this.stream;
    }
  };
}
