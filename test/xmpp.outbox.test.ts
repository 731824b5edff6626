import { describe, expect, test } from 'vitest';
import { createOutbox, type Sink } from '../src/xmpp/outbox.ts';
import { until } from './servers/until.ts';

/** A sink that takes a number of writes before it says stop. */
function sink(writes = Number.POSITIVE_INFINITY): Sink & { readonly chunks: string[] } {
  const chunks: string[] = [];
  return { chunks, write: (chunk) => chunks.push(Buffer.from(chunk).toString()) < writes };
}

const roomy = {
  eventBytes: 1_000_000,
  answerBytes: 1_000_000,
  eventMarkBytes: 1e9,
  stanzaBytes: 1_000_000,
  unwritten: () => 0,
};

describe('the outbox', () => {
  test('joins all of a turn into one write, urgent first', async () => {
    const outbox = createOutbox(roomy);
    const socket = sink();
    outbox.attach(socket);
    for (const stanza of ['<e1/>', '<e2/>']) outbox.push(stanza, 'event');
    outbox.push('<r1/>', 'request');
    for (const stanza of ['<a1/>', '<a2/>']) outbox.push(stanza, 'answer');
    expect(socket.chunks).toEqual([]);
    await until('it is written', () => socket.chunks.length > 0);
    expect(socket.chunks).toEqual(['<a1/><a2/><r1/><e1/><e2/>']);
    expect(outbox.counters).toMatchObject({ sent: 5, refused: 0, dropped: 0, buffered: 0 });
  });

  test('what is for those who hear of everybody comes last, and is cut where something else has come', async () => {
    const outbox = createOutbox(roomy);
    const socket = sink(1);
    outbox.attach(socket);
    const bulk = Buffer.from(`<b>ä${'x'.repeat(990)}</b>`);
    for (let n = 0; n < 100; n += 1) outbox.push(bulk, 'bulk');
    bulk.fill('-');
    outbox.push('<e1/>', 'event');
    await until('one chunk is written', () => socket.chunks.length === 1);
    outbox.push('<e2/>', 'event');
    while (outbox.counters.buffered > 0) outbox.drained();
    expect(socket.chunks.map((chunk) => chunk.slice(0, 5))).toEqual(['<e1/>', '<e2/>']);
    expect(socket.chunks.join('').match(/<b>ä/g)).toHaveLength(100);
    expect(outbox.counters).toMatchObject({ sent: 102, refused: 0 });
  });

  test('events and bulk share their room', () => {
    const outbox = createOutbox({ ...roomy, eventBytes: 10 });
    outbox.attach(sink(0));
    expect(outbox.push('12345', 'bulk')).toBe(true);
    expect(outbox.push('123456', 'event')).toBe(false);
    expect(outbox.push(Buffer.from('12345'), 'event')).toBe(true);
    outbox.detach();
    expect(outbox.counters).toMatchObject({ dropped: 2, refused: 1, buffered: 0 });
  });

  test('writes at most 64 KiB at a time and waits for the sink; an answer passes what waits', async () => {
    const outbox = createOutbox(roomy);
    const socket = sink(1);
    outbox.attach(socket);
    const event = `<e>${'x'.repeat(993)}</e>`;
    for (let n = 0; n < 200; n += 1) expect(outbox.push(event, 'event')).toBe(true);
    await until('one chunk is written', () => socket.chunks.length === 1);
    outbox.push('<a/>', 'answer');
    expect(outbox.counters.buffered).toBe(200_004 - (socket.chunks[0]?.length ?? 0));
    while (outbox.counters.buffered > 0) outbox.drained();
    expect(Math.max(...socket.chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(65_536);
    expect(socket.chunks[1]?.startsWith('<a/>')).toBe(true);
    expect(socket.chunks.join('')).toHaveLength(200_004);
  });

  test('one stanza larger than a chunk is a write of its own', () => {
    const outbox = createOutbox(roomy);
    const socket = sink(1);
    outbox.attach(socket);
    for (const stanza of ['x'.repeat(10), 'y'.repeat(100_000), 'z']) outbox.push(stanza, 'event');
    while (outbox.counters.buffered > 0) outbox.drained();
    expect(socket.chunks.map((chunk) => chunk.length)).toEqual([10, 100_000, 1]);
  });

  test('counts bytes, what the socket holds included; answers have room of their own', () => {
    let unwritten = 0;
    const outbox = createOutbox({ ...roomy, eventBytes: 100, answerBytes: 50, unwritten: () => unwritten });
    outbox.attach(sink());
    expect(outbox.push('€'.repeat(30), 'event')).toBe(true);
    expect(outbox.push('€'.repeat(4), 'event')).toBe(false);
    unwritten = 10;
    expect(outbox.push('x', 'event')).toBe(false);
    expect(outbox.push('x'.repeat(50), 'answer')).toBe(true);
    expect(outbox.push('x', 'answer')).toBe(false);
    expect(outbox.push('x'.repeat(50), 'request')).toBe(true);
    expect(outbox.counters).toMatchObject({ refused: 3, buffered: 190 });
  });

  test('without a stream: answers wait for the next one, the rest is refused, and dropped where it waited', async () => {
    const outbox = createOutbox(roomy);
    expect(outbox.push('<e/>', 'event')).toBe(false);
    expect(outbox.push('<r/>', 'request')).toBe(false);
    const first = sink(1);
    outbox.attach(first);
    outbox.push('<e1/>', 'event');
    outbox.push('<r1/>', 'request');
    outbox.push('<a1/>', 'answer');
    outbox.detach();
    expect(outbox.push('<a2/>', 'answer')).toBe(true);
    expect(outbox.counters).toMatchObject({ dropped: 2, refused: 2 });
    const second = sink();
    outbox.attach(second);
    await until('it is written', () => second.chunks.length > 0);
    expect(first.chunks).toEqual([]);
    expect(second.chunks).toEqual(['<a1/><a2/>']);
  });

  test('flushed: when all is written, when the stream ends, or when the time is up', async () => {
    const outbox = createOutbox(roomy);
    await outbox.flushed(10_000);
    outbox.attach(sink());
    outbox.push('<e/>', 'event');
    await outbox.flushed(10_000);
    expect(outbox.counters.buffered).toBe(0);
    outbox.attach({ write: () => false });
    for (let n = 0; n < 3; n += 1) outbox.push('x'.repeat(60_000), 'event');
    await outbox.flushed(20);
    expect(outbox.counters.buffered).toBeGreaterThan(0);
    const ending = outbox.flushed(10_000);
    outbox.detach();
    await ending;
  });
});
