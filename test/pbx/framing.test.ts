import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFramer } from '../../src/pbx/framing.ts';
import type { AmiMessage } from '../../src/pbx/message.ts';
import { wantedEvents } from '../../src/pbx/wanted.ts';

type Seen = { event: string; headers: (readonly [string, string])[] };

const wanted = ['Newchannel', 'Hangup', 'Newstate', 'DialBegin'];

/** Everything that comes out of a stream that arrives in these pieces, read while it is valid. */
function read(pieces: readonly Buffer[], limits: { maxMessage?: number; maxLine?: number } = {}) {
  const seen: Seen[] = [];
  const banners: string[] = [];
  const framer = createFramer({
    wanted: wantedEvents(wanted),
    onMessage: (message) => seen.push({ event: message.event, headers: [...message.entries()] }),
    onBanner: (line) => banners.push(line),
    ...limits,
  });
  // One buffer for all pieces, scribbled over between them, as a socket with `onread` does it.
  const shared = Buffer.alloc(Math.max(1, ...pieces.map((piece) => piece.length)));
  for (const piece of pieces) {
    shared.fill(0x0a);
    piece.copy(shared);
    framer.push(shared.subarray(0, piece.length));
  }
  return { seen, banners, counts: { ...framer.counts } };
}

const whole = (text: string) => read([Buffer.from(text)]);

/** Cuts bytes at the given places, taken modulo the length. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length));
}

describe('framing', () => {
  it('reads banner, responses and wanted events, and skips the others', () => {
    const { seen, banners, counts } = whole(
      'Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n' +
        'Event: VarSet\r\nVariable: x\r\n\r\nEvent: Hangup\r\nCause: 16\r\n\r\n',
    );
    expect(banners).toEqual(['Asterisk Call Manager/11.0.0']);
    expect(seen).toEqual([
      {
        event: '',
        headers: [
          ['Response', 'Success'],
          ['ActionID', '1'],
        ],
      },
      {
        event: 'Hangup',
        headers: [
          ['Event', 'Hangup'],
          ['Cause', '16'],
        ],
      },
    ]);
    expect(counts).toMatchObject({ messages: 3, skipped: 1, garbage: 0, oversized: 0 });
  });

  it('takes bare line feeds, blank lines in excess and lines without a colon', () => {
    const { seen } = whole(
      '\r\n\r\nResponse: Success\nMessage: Park successful\n\r\n\r\nEvent: Hangup\n\nEvent: Newstate\r\njunk\r\nA: b\r\n\r\n\r\n\n',
    );
    expect(seen.map(({ event }) => event)).toEqual(['', 'Hangup', 'Newstate']);
    expect(seen[0]?.headers).toEqual([
      ['Response', 'Success'],
      ['Message', 'Park successful'],
    ]);
    expect(seen[2]?.headers).toEqual([
      ['Event', 'Newstate'],
      ['A', 'b'],
    ]);
  });

  it('keeps colons, inner blanks and UTF-8 in values, and only one blank after the colon away', () => {
    const { seen } = whole('Event: Hangup\r\nA:  two: Anna Müller 😀 \r\nB:\r\nC:x\r\n\r\n');
    expect(seen[0]?.headers.slice(1)).toEqual([
      ['A', ' two: Anna Müller 😀 '],
      ['B', ''],
      ['C', 'x'],
    ]);
  });

  it('does not take a longer or shorter event name for a wanted one', () => {
    expect(whole('Event: HangupRequest\r\n\r\nEvent: Hang\r\n\r\nEvent: hangup\r\n\r\n').seen).toEqual([]);
  });

  it('goes on after garbage: at once where that ended its line, else with the next message', () => {
    const glued = whole('\u0000\u0001xyzEvent: Hangup\r\nA: 1\r\n\r\nEvent: Hangup\r\nA: 2\r\n\r\n');
    expect(glued.seen.map(({ headers }) => headers[1])).toEqual([['A', '2']]);
    expect(glued.counts.garbage).toBe(1);
    const lined = whole('\u0000\u0001xyz\nEvent: Hangup\r\nA: 1\r\n\r\n');
    expect(lined.seen.map(({ headers }) => headers[1])).toEqual([['A', '1']]);
  });

  it('drops a message or a line over its cap, keeps no more than the cap, and goes on', () => {
    const limits = { maxMessage: 200, maxLine: 50 };
    const long = `Event: Hangup\r\n${'B: b\r\n'.repeat(60)}\r\n`;
    const wide = `Event: Hangup\r\nX: ${'x'.repeat(60)}\r\n\r\n`;
    const good = 'Event: Hangup\r\nA: 1\r\n\r\n';
    const { seen, counts } = read([Buffer.from(long + good + wide + good)], limits);
    expect(seen).toHaveLength(2);
    expect(counts.oversized).toBe(2);
  });

  it('survives a line of 100 MB', () => {
    const framer = createFramer({
      wanted: wantedEvents(wanted),
      onMessage: (message) => events.push(message.get('A')),
    });
    const events: string[] = [];
    const before = process.memoryUsage().arrayBuffers;
    const piece = Buffer.alloc(1 << 20, 'x');
    framer.push(Buffer.from('Event: Hangup\r\nA: '));
    for (let i = 0; i < 100; i++) framer.push(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
    framer.push(Buffer.from('\r\n\r\nEvent: Hangup\r\nA: after\r\n\r\n'));
    expect(events).toEqual(['after']);
  });
});

const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  fc.constantFrom('', ' ', 'PJSIP/340-00000001', '<unknown>', 'Anna Müller'),
);
const message = fc
  .tuple(
    fc.constantFrom('Event: Newchannel', 'Event: Hangup', 'Event: VarSet', 'Response: Success', 'Junk: 1'),
    fc.array(fc.tuple(fc.constantFrom('Channel', 'Exten', 'Variable', 'X-Y'), value), { maxLength: 8 }),
    fc.constantFrom('\r\n', '\n'),
    fc.constantFrom('', '\r\n', '\n', '\r\n\r\n'),
  )
  .map(([first, headers, end, extra]) => {
    const lines = [first, ...headers.map(([key, text]) => `${key}: ${text}`)];
    return Buffer.from(`${lines.join(end)}${end}${end}${extra}`);
  });
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.array(fc.constantFrom(10, 13, 0x45, 0x3a), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
);
const places = fc.array(fc.nat(), { maxLength: 30 });

describe('framing, whatever the bytes', () => {
  it('drops an event whose first line is over the cap up to where events end, however it is cut', () => {
    const bytes = Buffer.from(
      `Event: Hangup\r${'x'.repeat(200)}\r\nA: 1\n\n\r\nEvent: Hangup\r\n\r\nEvent: Hangup\r\nA: 2\r\n\r\n`,
    );
    const expected = read([bytes], { maxMessage: 100 });
    expect(expected.seen.map(({ headers }) => headers[1])).toEqual([['A', '2']]);
    for (let at = 1; at < bytes.length; at++)
      expect(read(cut(bytes, [at]), { maxMessage: 100 })).toEqual(expected);
  });

  it('gives the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: message }, { weight: 1, arbitrary: noise })),
        places,
        fc.constantFrom({}, { maxMessage: 60, maxLine: 30 }, { maxMessage: 25, maxLine: 25 }),
        (parts, cuts, limits) => {
          const bytes = Buffer.concat(parts);
          const expected = read([bytes], limits);
          expect(read(cut(bytes, cuts), limits)).toEqual(expected);
          expect(
            read(
              Array.from(bytes, (byte) => Buffer.of(byte)),
              limits,
            ),
          ).toEqual(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('gives every header of every message as it was sent', () => {
    const header = fc.tuple(fc.constantFrom('Channel', 'Exten', 'Variable', 'A-B'), value);
    const sent = fc.record({
      event: fc.constantFrom('Newchannel', 'Hangup'),
      headers: fc.array(header, { maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 4 }), places, (messages, cuts) => {
        const text = messages
          .map(({ event, headers }) =>
            [`Event: ${event}`, ...headers.map(([key, each]) => `${key}: ${each}`), '', ''].join('\r\n'),
          )
          .join('');
        const bytes = Buffer.from(text);
        const expected = messages.map(({ event, headers }) => ({
          event,
          // What UTF-8 cannot carry is lost on the way out already.
          headers: [['Event', event], ...headers.map(([key, each]) => [key, Buffer.from(each).toString()])],
        }));
        expect(read(cut(bytes, cuts)).seen).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a message', () => {
  function only(text: string, look: (message: AmiMessage) => void) {
    let looked = 0;
    createFramer({
      wanted: wantedEvents(wanted),
      onMessage(each) {
        looked++;
        look(each);
      },
    }).push(Buffer.from(text));
    expect(looked).toBe(1);
  }

  it('gives the first of repeated headers, asked in any order and again', () => {
    only('Event: Hangup\r\nState: a\r\nX: 1\r\nState: b\r\nStateDesc: c\r\n\r\n', (message) => {
      for (const _ of [1, 2]) {
        expect(message.get('StateDesc')).toBe('c');
        expect(message.get('State')).toBe('a');
        expect(message.get('X')).toBe('1');
        expect(message.get('State')).toBe('a');
      }
    });
  });

  it('tells a missing header from an empty one, and is case-sensitive', () => {
    only('Event: Hangup\r\nExten:\r\n\r\n', (message) => {
      expect([message.has('Exten'), message.get('Exten')]).toEqual([true, '']);
      expect([message.has('exten'), message.has('Ext'), message.has('')]).toEqual([false, false, false]);
    });
  });

  it('replaces a character that was cut in the middle', () => {
    const bytes = Buffer.concat([
      Buffer.from('Event: Hangup\r\nName: M'),
      Buffer.of(0xc3),
      Buffer.from('\r\n\r\n'),
    ]);
    expect(read([bytes]).seen[0]?.headers[1]).toEqual(['Name', 'M\uFFFD']);
  });
});
