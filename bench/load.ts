/**
 * A recorded call between two telephones (test/asterisk/recorded), repeated under shifted ids and extensions, many at a time: every
 * event class that Asterisk has, as a feed account with all rights gets it.
 */
import { readFileSync } from 'node:fs';

const recording = 'test/asterisk/recorded/01_call_caller_hangs_up.ami';
/** What the recording calls its two users, and its channels. */
const caller = /\b340\b/g;
const called = /\b370\b/g;
const channelId = /\b00000fa([01])\b/g;
const uniqueId = /\b(\d{10})\.640([01])\b/g;

/** Subscriptions of the whole-road benchmarks. */
export const subscriptions = 10_000;

/** Extension of a user of the load, from 0. */
export const extensionOf = (user: number) => String(10_000 + user);

/**
 * Bytes of a load: each of `calls` calls is between two of `users` users, and `atOnce` go on at a time. `from`: number of the first
 * call, so that another load goes on where one ended.
 */
export function repeatedCalls(options: { calls: number; users: number; atOnce: number; from?: number }): {
  readonly bytes: Buffer;
  readonly events: number;
} {
  const events = readFileSync(recording, 'utf8')
    .split('\r\n\r\n')
    .filter((text) => /^Event: /m.test(text) && /^(?:\w*Channel|Device|BridgeUniqueid): /m.test(text));
  const pieces: string[] = ['Asterisk Call Manager/11.0.0\r\n'];
  for (let first = 0; first < options.calls; first += options.atOnce) {
    const group = Array.from(
      { length: Math.min(options.atOnce, options.calls - first) },
      (_, n) => (options.from ?? 0) + first + n,
    );
    for (const event of events)
      for (const n of group) pieces.push(shifted(event, n, options.users), '\r\n\r\n');
  }
  return { bytes: Buffer.from(pieces.join('')), events: events.length * options.calls };
}

function shifted(event: string, call: number, users: number): string {
  const [from, to] = [extensionOf((2 * call) % users), extensionOf((2 * call + 1) % users)];
  return event
    .replace(caller, from)
    .replace(called, to)
    .replace(channelId, (_, end: string) => (2 * call + Number(end)).toString(16).padStart(8, '0'))
    .replace(uniqueId, (_, seconds: string, end: string) => `${seconds}.${2 * call + Number(end)}`)
    .replace(/9c2ce43a/g, (Math.imul(call + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0'));
}
