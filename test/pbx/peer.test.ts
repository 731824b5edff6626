import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';
import createManager, { type ManagerMessage } from 'asterisk-manager';
import { expect, it } from 'vitest';
import { createFramer } from '../../src/pbx/framing.ts';
import { wantedEvents } from '../../src/pbx/wanted.ts';

const load = gunzipSync(readFileSync(new URL('./recorded/load.ami.gz', import.meta.url)));

/** Everything asterisk-manager makes of the bytes. */
async function byPeer(bytes: Buffer): Promise<ManagerMessage[]> {
  const server = createServer((socket) => void socket.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const seen: ManagerMessage[] = [];
  const manager = createManager(null, '', '', '', false);
  manager.on('managerevent', (message) => void seen.push(message));
  manager.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await new Promise<void>((resolve) => manager.on('close', resolve));
  // It hands its events on a tick later.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => server.close(resolve));
  return seen;
}

it('reads a recorded load as asterisk-manager does, event by event and header by header', async () => {
  const expected = await byPeer(load);
  const names = new Set(expected.map(({ event }) => String(event)));
  let at = 0;
  const framer = createFramer({
    wanted: wantedEvents(names),
    onMessage(message) {
      if (message.event === '') return;
      const peer: ManagerMessage = expected[at++] ?? {};
      const own = [...message.entries()];
      // Of `Variable` the peer makes an object, which says no more.
      const plain = own
        .filter(([key]) => key !== 'Variable')
        .map(([key, value]) => [key.toLowerCase(), value]);
      const { variable: _, ...rest } = peer;
      if (JSON.stringify(Object.entries(rest)) !== JSON.stringify(plain))
        expect(plain).toEqual(Object.entries(rest));
    },
  });
  for (let from = 0; from < load.length; from += 1448) framer.push(load.subarray(from, from + 1448));
  expect(at).toBe(48_003);
  expect(expected).toHaveLength(at);
});
