import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PbxEvent } from '../../src/pbx/events.ts';
import { createFramer } from '../../src/pbx/framing.ts';
import { readListedChannel } from '../../src/pbx/lists.ts';
import { createTranslate, translatedEvents } from '../../src/pbx/translate.ts';
import { wantedEvents } from '../../src/pbx/wanted.ts';

const translate = createTranslate({ now: () => 42 });

/** Translates what Asterisk would send. */
function read(...lines: (string | Buffer)[]): PbxEvent | undefined {
  let event: PbxEvent | undefined;
  const framer = createFramer({
    wanted: wantedEvents([...translatedEvents, 'CoreShowChannel']),
    onMessage: (message) => {
      event = translate(message);
    },
  });
  const bytes = lines.flatMap((line) => [
    typeof line === 'string' ? Buffer.from(line) : line,
    Buffer.from('\r\n'),
  ]);
  framer.push(
    Buffer.concat([Buffer.from('Asterisk Call Manager/11.0.0\r\n'), ...bytes, Buffer.from('\r\n')]),
  );
  return event;
}

const channel = [
  'Channel: PJSIP/340-0000001c',
  'ChannelState: 4',
  'ChannelStateDesc: Ring',
  'CallerIDNum: 340',
  'CallerIDName: Anna Müller',
  'ConnectedLineNum: <unknown>',
  'ConnectedLineName: <unknown>',
  'Context: internal',
  'Exten: 370',
  'Uniqueid: lab-1.1',
  'Linkedid: lab-1.1',
];

describe('an event', () => {
  test('holds the particulars of its channel', () => {
    expect(read('Event: Newchannel', ...channel)).toEqual({
      type: 'channel-new',
      at: 42,
      channel: {
        name: 'PJSIP/340-0000001c',
        uniqueId: 'lab-1.1',
        linkedId: 'lab-1.1',
        state: 'ring',
        callerNumber: '340',
        callerName: 'Anna Müller',
        connectedNumber: '',
        connectedName: '',
        context: 'internal',
        exten: '370',
      },
    });
  });

  test('bears the time that Asterisk stamped on it, where it did', () => {
    expect(read('Event: Newchannel', 'Timestamp: 1795200130.639512', ...channel)?.at).toBe(1795200130640);
    expect(read('Event: Newchannel', 'Timestamp: yesterday', ...channel)?.at).toBe(42);
  });

  test('without its channel, or of an unknown kind, is none', () => {
    expect(read('Event: Newchannel', 'Channel: PJSIP/340-0000001c')).toBeUndefined();
    expect(read('Event: DialBegin', ...channel)).toBeUndefined();
    expect(read('Event: SomethingNew', ...channel)).toBeUndefined();
    expect(read('Response: Success', 'Message: Pong')).toBeUndefined();
  });

  test('about two channels has both, and a dial without a caller is one of Originate', () => {
    const dest = channel.map((line) => `Dest${line.replace('340', '370').replace('lab-1.1', 'lab-1.2')}`);
    expect(read('Event: DialEnd', ...channel, ...dest, 'DialStatus: CANCEL', 'Forward: 320')).toMatchObject({
      type: 'dial-end',
      caller: { uniqueId: 'lab-1.1' },
      dest: { uniqueId: 'lab-1.2' },
      status: 'CANCEL',
      forward: '320',
    });
    expect(read('Event: DialBegin', ...dest)).toMatchObject({ type: 'dial-begin', caller: undefined });
  });

  test('of a hangup request may have no cause', () => {
    expect(read('Event: HangupRequest', ...channel)).toMatchObject({ cause: undefined });
    expect(read('Event: HangupRequest', ...channel, 'Cause: 16')).toMatchObject({ cause: 16 });
  });

  test('of an Originate that failed has no channel to name', () => {
    const failed = [
      'Response: Failure',
      'Channel: PJSIP/340',
      'Reason: 0',
      'Uniqueid: <null>',
      'Application: Wait',
    ];
    expect(read('Event: OriginateResponse', ...failed)).toEqual({
      type: 'originate-response',
      at: 42,
      success: false,
      uniqueId: '',
      channel: 'PJSIP/340',
      application: 'Wait',
      reason: 0,
    });
  });
});

describe('a name', () => {
  const named = (name: string | Buffer) => {
    const rest = channel.filter((line) => !line.startsWith('CallerIDName'));
    const event = read(
      'Event: Newstate',
      ...rest,
      Buffer.concat([Buffer.from('CallerIDName: '), Buffer.from(name)]),
    );
    return event?.type === 'channel-update' ? event.channel.callerName : undefined;
  };

  test.each([
    ['quotes', 'Quote \\"in\\" name', 'Quote "in" name'],
    ['an apostrophe and a backslash', "O\\'Brien\\\\back", "O'Brien\\back"],
    ['the backslashes that SIP left in it', '\\\\\\"Mo\\\\\\"', '\\"Mo\\"'],
    ['a question mark', 'who\\?', 'who?'],
    ['blanks around it', '  spaces  ', '  spaces  '],
    ['emoji', '😀 漢字', '😀 漢字'],
    ['a lone backslash at its end', 'cut\\', 'cut\\'],
  ])('keeps %s', (_what, sent, meant) => {
    expect(named(sent)).toBe(meant);
  });

  test.each(['<unknown>', '(null)', '<null>', ''])('%s is none', (sent) => {
    expect(named(sent)).toBe('');
  });

  test('that was cut inside a character loses the half', () => {
    expect(named(Buffer.from('Müller').subarray(0, 2))).toBe('M');
  });

  test('comes back from every escaping', () => {
    // utils.c, ast_escape_c
    const letters: Readonly<Record<string, string>> = {
      '\u0007': 'a',
      '\b': 'b',
      '\f': 'f',
      '\n': 'n',
      '\r': 'r',
      '\t': 't',
      '\v': 'v',
      '\\': '\\',
      "'": "'",
      '"': '"',
      '?': '?',
    };
    const text = fc.string({ unit: fc.constantFrom('x', 'ä', '😀', ...Object.keys(letters)), minLength: 1 });
    fc.assert(
      fc.property(text, (name) => {
        const sent = [...name]
          .map((one) => (letters[one] === undefined ? one : `\\${letters[one]}`))
          .join('');
        expect(named(sent)).toBe(name);
      }),
    );
  });
});

describe('a listed channel', () => {
  test('of CoreShowChannels and of Status is the same', () => {
    const items = [
      [
        'Event: CoreShowChannel',
        ...channel,
        'Application: Dial',
        'ApplicationData: PJSIP/370',
        'Duration: 01:01:01',
        'BridgeId: b',
      ],
      [
        'Event: CoreShowChannel',
        ...channel,
        'Application: Dial',
        'Data: PJSIP/370',
        'Seconds: 3661',
        'BridgeID: b',
      ],
    ];
    const listed = items.map((lines) => {
      let channelRead: unknown;
      const framer = createFramer({
        wanted: wantedEvents(['CoreShowChannel']),
        onMessage: (message) => {
          channelRead = readListedChannel(message);
        },
      });
      framer.push(Buffer.from(`Asterisk Call Manager/11.0.0\r\n${lines.join('\r\n')}\r\n\r\n`));
      return channelRead;
    });
    expect(listed[0]).toMatchObject({
      application: 'Dial',
      applicationData: 'PJSIP/370',
      seconds: 3661,
      bridgeId: 'b',
    });
    expect(listed[1]).toEqual(listed[0]);
  });
});
