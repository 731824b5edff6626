import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createWebhook, type Delivery } from '../src/webhook.ts';

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A receiver that answers with these statuses one after the other; 0: not at all. */
async function receiver(...statuses: number[]) {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const status = statuses[got.length] ?? 200;
      got.push({ headers: request.headers, body });
      if (status !== 0) response.writeHead(status, { location: '/elsewhere' }).end('secret details');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`;
  return { got, url };
}

const delivery = (url: string, changes: Partial<Delivery> = {}): Delivery => ({
  url,
  id: 'id-1',
  body: { action: 'openDoor', arguments: { door: 'Tür' } },
  secret: 'sixteen characters',
  timeoutMs: 2000,
  retries: 2,
  ...changes,
});
const pauses: number[] = [];
const send = createWebhook(
  () => 1_700_000_000_000,
  async (ms) => void pauses.push(ms),
);

describe('a webhook', () => {
  it('is JSON with a signature over time and body', async () => {
    const { got, url } = await receiver();
    await send(delivery(url));
    const [{ headers, body }] = got as [Got];
    expect(JSON.parse(body)).toEqual({ action: 'openDoor', arguments: { door: 'Tür' } });
    const mac = createHmac('sha256', 'sixteen characters').update(`1700000000.${body}`).digest('hex');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-offhook-delivery': 'id-1',
      'x-offhook-timestamp': '1700000000',
      'x-offhook-signature': `sha256=${mac}`,
    });
  });

  it('is not signed without a secret', async () => {
    const { got, url } = await receiver();
    await send(delivery(url, { secret: '' }));
    expect(got[0]?.headers).not.toHaveProperty('x-offhook-signature');
  });

  it('is tried again as often as configured, each time later, under one id', async () => {
    const { got, url } = await receiver(503, 429, 204);
    pauses.length = 0;
    await send(delivery(url));
    expect(got.map(({ headers }) => headers['x-offhook-delivery'])).toEqual(['id-1', 'id-1', 'id-1']);
    expect(pauses).toEqual([200, 400]);
  });

  it.each([
    ['a refusal is final', [403], 'rejected', 1],
    ['nobody is sent elsewhere', [302], 'rejected', 1],
    ['a broken receiver', [500, 500, 500], 'rejected', 3],
    ['a silent receiver', [0, 0, 0], 'not-available', 3],
  ])('%s', async (_, statuses, code, attempts) => {
    const { got, url } = await receiver(...statuses);
    const failed = await send(delivery(url, { timeoutMs: 150 })).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code });
    expect(String(failed)).not.toMatch(/127\.0\.0\.1|secret/);
    expect(got).toHaveLength(attempts);
  });

  it('fails where nobody listens', async () => {
    const { url } = await receiver();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    await expect(send(delivery(url, { retries: 0 }))).rejects.toMatchObject({ code: 'not-available' });
  });
});
