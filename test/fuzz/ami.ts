/** Any bytes in any chunking: the reader must make of them what it makes of the whole, keep little, and never throw. */

import { createFramer } from '../../src/pbx/framing.ts';
import { createTranslate, translatedEvents } from '../../src/pbx/translate.ts';
import { wantedEvents } from '../../src/pbx/wanted.ts';
import type { Random } from '../chaos/random.ts';

const names = ['VarSet', 'RTCPSent', '', 'X'.repeat(300), ...translatedEvents] as const;
const headers = [
  'Channel',
  'DestChannel',
  'Uniqueid',
  'DestUniqueid',
  'Linkedid',
  'ChannelState',
  'CallerIDName',
  'Cause',
  'BridgeUniqueid',
  'Timestamp',
  'Device',
  'State',
  '',
  ':',
] as const;
const values = [
  'PJSIP/340-00000001',
  'Local/1@x-1;1',
  '1795200130.1',
  '6',
  '',
  ' ',
  '<unknown>',
  'Anna M\u00fcller',
  '\ud83c\udfba',
  '\\"a\\\\',
  'x'.repeat(2000),
  '99999999999999999999',
  'a: b: c',
  '\u0000\u0007',
] as const;
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\n\n'] as const;

/** A piece of a stream: mostly messages, some nearly so, some noise. */
function piece(random: Random): Buffer {
  const kind = random.below(10);
  if (kind === 0) return Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
  if (kind === 1)
    return Buffer.from(
      random.pick([
        '\r',
        '\n',
        '\r\n',
        '\r\n\r\n',
        ':',
        'Event:',
        'Response:',
        'Asterisk Call Manager/1\r\n',
      ]),
    );
  let text = `${random.pick(['Event: ', 'Event:', 'Response: ', 'event: ', 'Junk: '])}${random.pick(names)}${random.pick(ends)}`;
  for (let line = random.below(20); line > 0; line--)
    text += `${random.pick(headers)}: ${random.pick(values)}${random.pick(ends)}`;
  const bytes = Buffer.from(text + (random.below(8) === 0 ? '' : random.pick(ends)));
  // A message that breaks off anywhere, inside a character as well.
  return random.below(12) === 0 ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
}

function read(chunks: Iterable<Buffer>): string {
  const seen: unknown[] = [];
  const translate = createTranslate({ now: () => 0 });
  const framer = createFramer({
    wanted: wantedEvents(translatedEvents),
    onMessage: (message) => seen.push([message.event, ...message.entries()], translate(message) ?? null),
    maxMessage: 4000,
    maxLine: 1000,
  });
  // The reader's buffer is used again and again, as the socket's is.
  for (const chunk of chunks) framer.push(Buffer.from(chunk));
  return JSON.stringify([seen, framer.counts]);
}

function* cut(bytes: Buffer, random: Random): Iterable<Buffer> {
  const longest = random.pick([1, 2, 7, 100, 5000]);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(longest));
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** A stream that was read otherwise in pieces than whole. */
export class ReadOtherwise extends Error {
  /** The pieces. */
  readonly pieces: readonly Buffer[];

  constructor(pieces: readonly Buffer[]) {
    super(`a stream of ${Buffer.concat(pieces).length} bytes is read otherwise in ${pieces.length} pieces`);
    this.pieces = pieces;
  }
}

/** One stream, whole and in pieces. Throws {@link ReadOtherwise} where the two differ. */
export function fuzzAmi(random: Random): void {
  const bytes = Buffer.concat(Array.from({ length: 1 + random.below(30) }, () => piece(random)));
  const pieces = [...cut(bytes, random)];
  if (isReadOtherwise(pieces)) throw new ReadOtherwise(fewest(pieces));
}

const isReadOtherwise = (pieces: readonly Buffer[]) => read([Buffer.concat(pieces)]) !== read(pieces);

/** The same stream in two pieces where these show the difference, as nearly always. */
function fewest(pieces: readonly Buffer[]): readonly Buffer[] {
  const bytes = Buffer.concat(pieces);
  let at = 0;
  for (const { length } of pieces) {
    at += length;
    const two = [bytes.subarray(0, at), bytes.subarray(at)];
    if (isReadOtherwise(two)) return two;
  }
  return pieces;
}
