import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createHealth, type Health } from '../src/ops/health.ts';

let health: Health | undefined;

afterEach(async () => {
  await health?.stop();
  health = undefined;
});

/** Starts the endpoint; the function sends one request as it stands and returns the whole answer. */
async function serving(ready: boolean) {
  health = createHealth('127.0.0.1', 0, () => ({ ready, lines: ['xmpp: up', 'control: nothing listens'] }));
  const { host, port } = await health.start();
  return (target: string, method = 'GET') => {
    const socket = connect(port, host);
    socket.write(`${method} ${target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`);
    return text(socket);
  };
}

describe('the health endpoint', () => {
  it('tells alive from ready, with reasons', async () => {
    const ask = await serving(false);
    expect(await ask('/healthz')).toMatch(/^HTTP\/1.1 200 .*\r\n\r\n.*alive/s);
    expect(await ask('/readyz')).toMatch(/^HTTP\/1.1 503 .*control: nothing listens/s);
    expect(await ask('/readyz?verbose')).toMatch(/^HTTP\/1.1 503 /);
    expect(await ask('http://here/healthz')).toMatch(/^HTTP\/1.1 200 /);
    expect(await ask('/elsewhere')).toMatch(/^HTTP\/1.1 404 /);
  });

  it('says which setting is wrong where the port is taken', async () => {
    health = createHealth('127.0.0.1', 0, () => ({ ready: true, lines: [] }));
    const { port } = await health.start();
    const second = createHealth('127.0.0.1', port, () => ({ ready: true, lines: [] }));
    await expect(second.start()).rejects.toThrow(/^HTTP_LISTEN: .*EADDRINUSE/);
  });

  it('answers targets that are no URL, and goes on', async () => {
    const ask = await serving(true);
    for (const target of ['//', '///', '//[', '/\\\\', 'http://', 'http://[', '*', '%', '/%zz']) {
      expect(await ask(target), target).toMatch(/^HTTP\/1.1 (404|400) /);
    }
    expect(await ask('*', 'OPTIONS')).toMatch(/^HTTP\/1.1 404 /);
    expect(await ask('/readyz')).toMatch(/^HTTP\/1.1 200 /);
  });
});
