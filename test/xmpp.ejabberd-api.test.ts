import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { createEjabberdApi } from '../src/xmpp/ejabberd-api.ts';
import { freePort, loopback } from './servers/ports.ts';
import { until } from './servers/until.ts';

it('an answer without end is given up at its bound, and the connection with it', async () => {
  let sent = 0;
  let closed = false;
  const server = createServer((_request, response) => {
    const chunk = Buffer.alloc(256 * 1024, ' ');
    const go = () => {
      while (!response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return;
      }
    };
    response.on('drain', go);
    response.on('close', () => {
      closed = true;
    });
    response.on('error', () => {});
    go();
  });
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, loopback, done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const api = createEjabberdApi({
    url: `http://${loopback}:${port}/api`,
    token: undefined,
    timeoutMs: 30_000,
  });
  await expect(api.connected('example.org')).rejects.toThrow('more than 33554432 bytes');
  await until('it is closed', () => closed);
  // What lies in sockets comes on top.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});
