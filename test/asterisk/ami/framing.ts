import type { ReceivedAction } from '../api.ts';

/** Longest line of an action, bytes, and most headers of one (`MAX_LEN`, `AST_MAX_MANHEADERS`, manager.h). */
export const limits = { line: 1024, headers: 128 } as const;

/** One message as it came. */
export interface Frame {
  readonly headers: readonly (readonly [string, string])[];
  readonly raw: Buffer;
  readonly framing: ReceivedAction['framing'];
}

/**
 * Cuts a byte stream into messages as `get_input` and `do_message` of main/manager.c do: lines end with LF or CR LF,
 * a message ends with an empty line, a CR alone is part of a value. Memory is bounded by the limits: what is too long
 * is dropped, and the message is marked.
 */
export function createFraming(received: (frame: Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let raw: Buffer[] = [];
  let headers: [string, string][] = [];
  let framing: Frame['framing'] = 'ok';

  return (chunk) => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const end = data.subarray(0, limits.line).indexOf(10);
      if (end < 0) {
        if (data.length < limits.line) break;
        // What follows of such a line is taken for a line of its own, as in Asterisk.
        framing = 'line too long';
        keep(data.subarray(0, limits.line));
        data = data.subarray(limits.line);
        continue;
      }
      const bytes = data.subarray(0, end + 1);
      data = data.subarray(end + 1);
      keep(bytes);
      line(bytes.toString('utf8').replace(/\r?\n$/, ''));
    }
    rest = Buffer.from(data);
  };

  function keep(bytes: Buffer): void {
    if (raw.length < limits.headers * 2) raw.push(Buffer.from(bytes));
  }

  function line(text: string): void {
    if (text === '') {
      received({ headers, raw: Buffer.concat(raw), framing });
      raw = [];
      headers = [];
      framing = 'ok';
      return;
    }
    if (headers.length >= limits.headers) {
      if (framing === 'ok') framing = 'too many headers';
      return;
    }
    const colon = text.indexOf(':');
    // C strings end at NUL: what follows it in a line is never seen by an action.
    const clean = text.split('\0', 1)[0] ?? '';
    if (colon < 0) headers.push([clean, '']);
    else headers.push([clean.slice(0, colon), clean.slice(colon + 1).replace(/^[\0- ]+/, '')]);
  }
}
