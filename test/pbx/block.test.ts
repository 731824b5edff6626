import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBridge, readChannel } from '../../src/pbx/channel.ts';
import { createFramer } from '../../src/pbx/framing.ts';
import type { AmiMessage } from '../../src/pbx/message.ts';
import { createTranslate, translatedEvents } from '../../src/pbx/translate.ts';
import { wantedEvents } from '../../src/pbx/wanted.ts';

const traces = new URL('../calls/traces/', import.meta.url);
const recordings = readdirSync(traces)
  .filter((name) => name.endsWith('.ami'))
  .map((name) => [name, readFileSync(new URL(name, traces))] as const);

/** The same message read the long way: every header by name, of all of them, with nothing remembered. */
function plain(message: AmiMessage): AmiMessage {
  const headers = [...message.entries()];
  return {
    event: message.event,
    get: (name) => headers.find(([each]) => each === name)?.[1] ?? '',
    has: (name) => headers.some(([each]) => each === name),
    entries: () => headers,
  };
}

/** Calls `look` with every message of a stream that comes in pieces of this size, through one buffer. */
function each(bytes: Buffer, size: number, look: (message: AmiMessage) => void): void {
  const framer = createFramer({ wanted: wantedEvents(translatedEvents), onMessage: look });
  const shared = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(shared, 0, at, at + size);
    framer.push(shared.subarray(0, length));
  }
}

describe('what is remembered of earlier messages', () => {
  const translate = createTranslate({ now: () => 42 });

  test.each(recordings)('changes no event of %s', (_name, bytes) => {
    let read = 0;
    for (const size of [65_536, 1000, 333]) {
      each(bytes, size, (message) => {
        const short = translate(message);
        expect(short).toEqual(translate(plain(message)));
        read += 1;
      });
    }
    expect(read).toBeGreaterThan(0);
  });

  test('changes no event of a load of 600 calls', () => {
    const load = gunzipSync(readFileSync(new URL('./recorded/load.ami.gz', import.meta.url)));
    let different = 0;
    let read = 0;
    each(load, 65_536, (message) => {
      if (message.event === '') return;
      read += 1;
      if (!isDeepStrictEqual(translate(message), translate(plain(message)))) different += 1;
    });
    expect(read).toBe(30_600);
    expect(different).toBe(0);
  });

  const particulars = (prefix: string, last: string) =>
    [
      ...['Channel', 'ChannelState', 'ChannelStateDesc', 'CallerIDNum', 'CallerIDName', 'ConnectedLineNum'],
      ...['ConnectedLineName', 'Language', 'AccountCode', 'Context', 'Exten', 'Priority', 'Uniqueid'],
    ]
      .map((name) => `${prefix}${name}: lab-${name}`)
      .concat(`${prefix}Linkedid: ${last}`);
  const stream = (...messages: readonly string[][]) =>
    Buffer.from(
      messages
        .map((lines) => ['Event: Newstate', 'Privilege: call,all', ...lines, '', ''].join('\r\n'))
        .join(''),
    );

  test('does not take a value for one that ends in CR', () => {
    const seen: unknown[] = [];
    each(stream(particulars('', 'ab\r'), particulars('', 'ab')), 4000, (message) =>
      seen.push(readChannel(message)?.linkedId),
    );
    expect(seen).toEqual(['ab\r', 'ab']);
  });

  test('does not depend on how often a block is read', () => {
    const seen: unknown[] = [];
    const one = [...particulars('', 'ab'), 'DestExten: the first', ...particulars('Dest', 'ab')];
    each(stream(one, one), 4000, (message) => {
      for (let n = 0; n < 5; n++) readChannel(message);
      seen.push(readChannel(message, 'Dest')?.exten);
    });
    expect(seen).toEqual(['the first', 'the first']);
  });

  test('changes nothing where lines are changed, doubled, left out, put elsewhere or cut', () => {
    const names = ['Channel', 'ChannelState', 'ChannelStateDesc', 'CallerIDNum', 'CallerIDName'].concat(
      ['ConnectedLineNum', 'ConnectedLineName', 'Language', 'AccountCode', 'Context', 'Exten', 'Priority'],
      ['Uniqueid', 'Linkedid'],
    );
    const bridge = [
      'BridgeUniqueid',
      'BridgeType',
      'BridgeTechnology',
      'BridgeCreator',
      'BridgeName',
      'BridgeNumChannels',
    ];
    const value = fc.constantFrom(
      '',
      ' ',
      '4',
      '6',
      'ab',
      'ab\r',
      'PJSIP/340-0000001c',
      'PJSIP/340-0000001d',
      'Anna Müller',
      'lab-1795200130.6400',
      '<unknown>',
    );
    // Mostly whole blocks with few values, so that most follow one that is nearly the same.
    const block = (prefix: string, all: readonly string[]) =>
      fc
        .tuple(
          fc.array(value, { minLength: all.length, maxLength: all.length }),
          fc.integer({ min: -1, max: all.length - 1 }),
        )
        .map(([values, missing]) =>
          all.flatMap((name, n) =>
            n === missing ? [] : [`${prefix}${name}: ${n === 0 ? 'PJSIP/340-0000001c' : values[n]}`],
          ),
        );
    const stray = fc.array(
      fc
        .tuple(fc.constantFrom(...names, 'SystemName', 'DestExten', 'X', 'Channel'), value)
        .map(([name, text]) => `${name}: ${text}`),
      { maxLength: 2 },
    );
    const message = fc
      .tuple(
        fc.constantFrom('Newstate', 'BridgeEnter', 'DialBegin', 'Hangup'),
        fc.constantFrom([], ['Timestamp: 1795200130.639512'], ['Timestamp: 1795200131.5', 'SystemName: lab']),
        stray,
        fc.oneof(fc.constant<string[]>([]), block('', bridge)),
        block('', names),
        fc.oneof(fc.constant<string[]>([]), block('Dest', names)),
        stray,
        fc.constantFrom('\r\n', '\r\n', '\r\n', '\n'),
      )
      .map(([event, stamp, before, first, second, third, after, end]) =>
        [
          `Event: ${event}`,
          'Privilege: call,all',
          ...stamp,
          ...before,
          ...first,
          ...second,
          ...third,
          ...after,
          '',
          '',
        ].join(end),
      );
    const asked = fc.array(fc.constantFrom(...names, 'DestExten', 'BridgeType', 'Privilege', 'X'), {
      maxLength: 3,
    });
    const look = (each: AmiMessage, headers: readonly string[]) => [
      translate(each),
      headers.map((name) => each.get(name)),
      readChannel(each, 'Dest'),
      readChannel(each),
      readBridge(each),
      headers.map((name) => [each.get(name), each.has(name)]),
    ];
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        asked,
        fc.integer({ min: 20, max: 4000 }),
        (messages, headers, size) => {
          each(Buffer.from(messages.join('')), size, (one) => {
            const wanted = look(plain(one), headers);
            expect(look(one, headers)).toEqual(wanted);
          });
        },
      ),
      { numRuns: 2000 },
    );
  });
});
