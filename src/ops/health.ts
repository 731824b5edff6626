/** Liveness, readiness and metrics over HTTP, for service managers, container engines and Prometheus. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bounded, createBound } from '../bounds.ts';

/** One neighbour's part in being ready. */
export interface Readiness {
  readonly ready: boolean;
  /** One line for each neighbour, reasons included; no secrets. */
  readonly lines: readonly string[];
}

/** What is served at `/metrics`. */
export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
}

const mostConnections = 64;

/** An HTTP server with `/healthz`, `/readyz` and `/metrics`. */
export interface Health extends Bounded {
  /** Listens; resolves with the address in use. Rejects where the address is taken or not ours. */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  stop(): Promise<void>;
}

/**
 * Makes the server. `/healthz` answers 200 as long as the process runs, `/readyz` 200 or 503 with the reasons in the body.
 * `/metrics` the numbers, where there are any. `host` and `port`: where to listen; port 0 takes a free one.
 */
export function createHealth(
  host: string,
  port: number,
  readiness: () => Readiness,
  metrics?: MetricsPage,
): Health {
  const plain = { 'content-type': 'text/plain; charset=utf-8' };
  const server: Server = createServer((request, response) => {
    const pathname = pathOf(request.url ?? '');
    if (pathname === '/metrics' && metrics !== undefined) {
      metrics.text().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        (error: unknown) => response.writeHead(500, plain).end(`${String(error)}\n`),
      );
      return;
    }
    const { ready, lines } = readiness();
    const known = pathname === '/healthz' || pathname === '/readyz';
    const status = !known ? 404 : pathname === '/readyz' && !ready ? 503 : 200;
    const body =
      pathname === '/readyz'
        ? lines.join('\n')
        : known
          ? 'alive'
          : 'there are /healthz, /readyz and /metrics here';
    response.writeHead(status, plain).end(`${body}\n`);
  });
  // A client that says nothing must not hold a socket for ever.
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  server.maxConnections = mostConnections;
  let connections = 0;
  const bound = createBound('http_connections', mostConnections, () => connections);
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('close', () => {
      connections -= 1;
    });
  });
  server.on('drop', bound.exceed);
  return {
    bounds: [bound],
    start: () =>
      new Promise((resolve, reject) => {
        // Stays: a later error (no more file handles) must not end the process.
        server.on('error', ({ message }) => reject(new Error(`HTTP_LISTEN: ${message}`)));
        server.listen(port, host, () => {
          const address = server.address() as AddressInfo;
          resolve({ host: address.address, port: address.port });
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The path of a request target (RFC 9112 §3.2); empty where it has none, for clients may send anything: `//`, `*`. */
function pathOf(target: string): string {
  const base = 'http://localhost';
  return URL.canParse(target, base) ? new URL(target, base).pathname : '';
}
