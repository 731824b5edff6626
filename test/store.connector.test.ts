import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { connectorTo } from '../src/store/redis-connector.ts';

it('hears every error of its socket, so that none ends the process', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stream = await new (connectorTo({ host: '127.0.0.1', port, tls: false }))().connect();
  stream.once('error', () => {});
  expect(() => {
    stream.emit('error', new Error('certificate refused'));
    stream.emit('error', new Error('alert of the peer'));
  }).not.toThrow();
  stream.destroy();
  server.close();
});
