/**
 * Lets whole AMI messages through to asterisk-manager, and nothing that it would choke on: it looks at every line of a message that is not complete
 * again with each chunk, takes a blank line for a message, and reads the output of a command until an end that may never come.
 */

import type { Gate } from '../gated.ts';

/** Bytes that a message may have; Asterisk's own have at most a few thousand. The event connection has the same bound. */
const largest = 65_536;
const [LF, CR] = [0x0a, 0x0d];
// Not one of our actions is answered like that; the library passes over a banner, so that what comes after it counts as the first line.
const strange = /^(?:response:.*follow|asterisk call manager)/im;

/** Makes a gate for one connection. */
export function createGate(): Gate {
  let waiting: Buffer = Buffer.alloc(0);
  /** How far `waiting` was searched for an end. */
  let searched = 0;
  return (chunk) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    const whole: Buffer[] = [];
    let at = 0;
    for (;;) {
      while (waiting[at] === LF || waiting[at] === CR) at += 1;
      const end = messageEnd(waiting, Math.max(at, searched));
      if ((end ?? waiting.length) - at > largest)
        throw new Error(`a message of more than ${largest} bytes came: is this Asterisk?`);
      if (end === undefined) break;
      const message = waiting.subarray(at, end);
      if (!strange.test(message.toString('latin1'))) whole.push(message);
      at = end;
    }
    waiting = waiting.subarray(at);
    // The line end of the last line may be half of a blank line.
    searched = Math.max(0, waiting.length - 2);
    return Buffer.concat(whole);
  };
}

/** Behind the blank line that ends a message; undefined where none has come so far. */
function messageEnd(bytes: Buffer, from: number): number | undefined {
  for (let line = bytes.indexOf(LF, from); line >= 0; line = bytes.indexOf(LF, line + 1)) {
    if (bytes[line + 1] === LF) return line + 2;
    if (bytes[line + 1] === CR && bytes[line + 2] === LF) return line + 3;
  }
  return undefined;
}
