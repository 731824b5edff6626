import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWindow } from '../src/xmpp/window.ts';
import { until } from './servers/until.ts';
import { domain, setup } from './xmpp/setup.ts';

/** A window of 400 bytes, its clock, and the questions that were asked, which the test answers. */
function opened() {
  const asked: { resolve(): void; reject(error: Error): void }[] = [];
  const seen = { opened: 0, ms: 0 };
  const window = createWindow({
    bytes: 400,
    ask: () => new Promise<void>((resolve, reject) => asked.push({ resolve, reject })),
    onOpen: () => {
      seen.opened += 1;
    },
    monotonic: () => seen.ms,
  });
  return { window, asked, seen };
}

describe('the window', () => {
  it('asks now and then, closes when so much is on its way, and opens with the answer', async () => {
    const { window, asked, seen } = opened();
    window.written(199);
    expect(asked).toHaveLength(0);
    window.written(1);
    expect(asked).toHaveLength(1);
    window.written(100);
    expect(window.isOpen).toBe(true);
    window.written(150);
    expect(window.isOpen).toBe(false);
    expect(window.bounds).toMatchObject([{ of: 'xmpp_window_bytes', held: 450, exceeded: 1 }]);
    seen.ms = 100;
    asked[0]?.resolve();
    await until('it opens', () => window.isOpen);
    expect(seen.opened).toBe(1);
    expect(window.bounds[0]?.held).toBe(250);
    // An answer to a later question is one to all before it.
    window.written(200);
    expect(asked).toHaveLength(3);
    asked[2]?.resolve();
    await until('all is confirmed', () => window.bounds[0]?.held === 0);
    asked[1]?.resolve();
    await turn();
    expect(window.bounds[0]?.held).toBe(0);
  });

  it('is as wide as what the server takes in a moment', async () => {
    const { window, asked, seen } = opened();
    /** Bytes that are on their way when it closes, and an answer to all questions after so many milliseconds. */
    async function width(answeredAfterMs: number): Promise<number> {
      let bytes = 0;
      for (; window.isOpen; bytes += 10) window.written(10);
      seen.ms += answeredAfterMs;
      for (const { resolve } of asked.splice(0)) resolve();
      await until('all is confirmed', () => window.bounds[0]?.held === 0);
      return bytes;
    }
    expect(await width(100)).toBe(400);
    expect(await width(10)).toBe(400);
    // Two questions a window: each quick answer doubles it, each slow one halves it.
    expect(await width(100)).toBe(1600);
    expect(await width(10)).toBe(1600);
    expect(await width(10)).toBe(3200);
    expect(await width(100)).toBe(3200);
    expect(await width(1000)).toBe(3200);
    expect(await width(1000)).toBe(800);
    expect(await width(1000)).toBe(400);
  });

  it('opens with a question that failed, too', async () => {
    const { window, asked, seen } = opened();
    window.written(500);
    asked[0]?.reject(new Error('no answer'));
    await until('it opens', () => window.isOpen);
    expect(seen.opened).toBe(1);
  });

  it('begins anew with another stream, whatever is answered about the one before', async () => {
    const { window, asked, seen } = opened();
    window.written(500);
    window.reset();
    expect(window.isOpen).toBe(true);
    window.written(450);
    asked[0]?.resolve();
    await turn();
    expect(window.isOpen).toBe(false);
    expect(seen.opened).toBe(0);
    asked[1]?.resolve();
    await until('it opens', () => window.isOpen);
  });
});

it('leaves little to the kernel of a server that does not read, so that an answer passes the events, and loses none', async () => {
  const windowBytes = 64 * 1024;
  const { server, component } = await setup({ limits: { windowBytes } });
  for (const ns of ['urn:test:ask', 'urn:xmpp:ping']) component.onIq(ns, () => ({ result: undefined }));
  await component.start();
  const connection = await server.online();
  connection.pause();
  const body = 'x'.repeat(1000);
  const send = (n: number) =>
    component.send(`<message to='a@example.test' from='${domain}' id='${n}'><body>${body}</body></message>`);
  // Far more than the window, far less than what the kernel would take.
  const count = 1000;
  for (let n = 0; n < count; n += 1) expect(send(n)).toBe(true);
  await until('as much is on its way as may be', () => (component.bounds[0]?.held ?? 0) >= windowBytes);
  connection.write(
    `<iq type='get' id='q' from='a@example.test/x' to='${domain}'><ask xmlns='urn:test:ask'/></iq>`,
  );
  await until(
    'the question is answered',
    () => component.counters.received > 0 && component.counters.openIqs === 0,
  );
  // Whoever asks whether it has arrived is answered when it has, also what waits.
  const messages = () => connection.stanzas.filter(({ name }) => name === 'message');
  const arrived = component.confirm(60_000).then(() => messages().length);
  connection.resume();
  await until('all has arrived', () => messages().length === count);
  expect(await arrived).toBe(count);
  expect(messages().map(({ attrs }) => attrs.id)).toEqual(Array.from({ length: count }, (_, n) => String(n)));
  const before = connection.stanzas.findIndex(({ attrs }) => attrs.id === 'q');
  // A window, and the write that closed it.
  expect(before).toBeLessThan((windowBytes + 65_536) / 1000);
  expect(component.counters).toMatchObject({ buffered: 0, refused: 0, dropped: 0 });
});
