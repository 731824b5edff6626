/** Takes out of a recording what it must not hold, message by message: secrets always, names and numbers where that is wanted. */

import { createHmac, randomBytes } from 'node:crypto';

/** Rewrites bytes of an AMI stream. */
export interface Redactor {
  /** Takes bytes as they came; returns those of the messages that are complete now. */
  push(bytes: Buffer): Buffer;
  /** What is left at the end: nothing of an incomplete message is kept. */
  readonly held: number;
}

/** Longer messages than this are dropped whole; Asterisk's longest are a few KB. */
const maxMessage = 1024 * 1024;

const secretHeaders =
  /^(?:secret|password|key|challenge|receivedchallenge|expectedresponse|response|receivedhash|token)$/i;
const secretVariables = /secret|pass|pin|token|auth|key|md5/i;
const askingApplications = /authenticate|^read$|disa/i;
const nameHeaders = /(?:CallerIDName|ConnectedLineName|CallerIDNameDest|^Name|MemberName|FullName)$/i;
const idHeaders =
  /(?:unique|linked|bridge|session|action)id$|^(?:event|priv|timestamp|eventtv|sessiontv|channel)/i;

/**
 * Makes a redactor. `mask` replaces names and all numbers of six or more digits, outside ids: the same one always by the same
 * stand-in of the same length, so that the calls stay what they were. Extensions are shorter, and stay.
 */
export function createRedactor(mask: boolean): Redactor {
  const salt = randomBytes(16);
  let held: Buffer = Buffer.alloc(0);
  let dropping = false;

  const digitsFor = (number: string) => {
    const hash = createHmac('sha256', salt).update(number).digest();
    return number.replace(/[0-9]/g, (_digit, at: number) => String((hash[at % hash.length] ?? 0) % 10));
  };
  const nameFor = (name: string) =>
    /^<?unknown>?$|^$|^[0-9]{1,5}$/.test(name)
      ? name
      : `Name ${createHmac('sha256', salt).update(name).digest('hex').slice(0, 6)}`;

  function line(name: string, value: string, message: ReadonlyMap<string, string>): string {
    const isAnswer = name === 'Response' && !message.has('Event');
    if (secretHeaders.test(name) && !isAnswer && message.get('Event') !== 'OriginateResponse')
      return '[removed]';
    if (name === 'Value' && secretVariables.test(message.get('Variable') ?? '')) return '[removed]';
    if (name === 'AppData' && askingApplications.test(message.get('Application') ?? '')) return '[removed]';
    if (!mask || idHeaders.test(name)) return value;
    if (nameHeaders.test(name)) return nameFor(value);
    return value.replace(/[0-9]{6,}/g, digitsFor);
  }

  function rewrite(message: string): string {
    const lines = message.split('\r\n');
    const headers = new Map<string, string>();
    for (const each of lines) {
      const colon = each.indexOf(': ');
      if (colon > 0 && !headers.has(each.slice(0, colon)))
        headers.set(each.slice(0, colon), each.slice(colon + 2));
    }
    return lines
      .map((each) => {
        const colon = each.indexOf(': ');
        if (colon <= 0) return each;
        const name = each.slice(0, colon);
        return `${name}: ${line(name, each.slice(colon + 2), headers)}`;
      })
      .join('\r\n');
  }

  return {
    push(bytes) {
      held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes]);
      const end = held.lastIndexOf('\r\n\r\n');
      if (end < 0) {
        // The banner is a line of its own and goes out with the first message.
        if (held.length > maxMessage) {
          dropping = true;
          held = held.subarray(-3);
        }
        return Buffer.alloc(0);
      }
      const complete = held.subarray(0, end + 4).toString('latin1');
      held = Buffer.from(held.subarray(end + 4));
      const messages = complete.split('\r\n\r\n');
      if (dropping) messages.shift();
      dropping = false;
      // latin1 keeps every byte; what is rewritten is ASCII.
      return Buffer.from(messages.map(rewrite).join('\r\n\r\n'), 'latin1');
    },
    get held() {
      return held.length;
    },
  };
}
