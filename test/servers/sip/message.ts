/** SIP messages as text and back (RFC 3261 §7), as far as a phone on loopback needs it. */

/** Name and value of a header field. */
export type Header = readonly [name: string, value: string];

/** A request or a response. */
export interface SipMessage {
  /** `INVITE sip:340@127.0.0.1 SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly start: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** Reads a datagram. Undefined if it is no SIP message: keep-alives are none. */
export function parseMessage(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const [start, ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  if (!start?.includes('SIP/2.0')) return undefined;
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  return { start, headers, body: end < 0 ? '' : text.slice(end + 4) };
}

/** The datagram of a message; adds its Content-Length. */
export function formatMessage({ start, headers, body }: SipMessage): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [start, ...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** The first header field of this name, or ''. */
export function header(message: SipMessage, name: string): string {
  return headers(message, name)[0] ?? '';
}

/** All header fields of this name, in order. */
export function headers(message: SipMessage, name: string): string[] {
  const wanted = name.toLowerCase();
  return message.headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** Status code of a response; undefined for a request. */
export function status(message: SipMessage): number | undefined {
  const code = /^SIP\/2\.0 (\d{3})/.exec(message.start)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Method of a request, or of the request that a response answers. */
export function method(message: SipMessage): string {
  return status(message) === undefined
    ? (message.start.split(' ')[0] ?? '')
    : (cseq(message).split(' ')[1] ?? '');
}

/** The CSeq header: `3 INVITE`. */
export function cseq(message: SipMessage): string {
  return header(message, 'CSeq');
}

/** A parameter of a header value: `parameter('<sip:a@b>;tag=x', 'tag')` is `x`, '' if there is none. */
export function parameter(value: string, name: string): string {
  return (
    new RegExp(`;\\s*${name}=("?)([^;",\\s]*)\\1`, 'i').exec(value.slice(value.indexOf('>') + 1))?.[2] ?? ''
  );
}

/** The URI of `"Anna" <sip:340@127.0.0.1>;tag=x` or `sip:340@127.0.0.1`. */
export function uri(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]?.trim() ?? '';
}

/** Who a name-addr header names, as a phone's display would show it. */
export interface Party {
  readonly number: string;
  /** Display name; '' if there is none. */
  readonly name: string;
}

/** The party of a From, To or P-Asserted-Identity header. */
export function party(value: string): Party {
  const quoted = /^\s*"((?:[^"\\]|\\.)*)"/.exec(value)?.[1]?.replace(/\\(.)/g, '$1');
  const name = quoted ?? value.slice(0, Math.max(0, value.indexOf('<'))).trim();
  const user = /^sips?:([^@;>]*)@/.exec(uri(value))?.[1] ?? '';
  return { number: decodeURIComponent(user), name };
}

/** `"Anna" <sip:340@host>` with the quoting of RFC 3261 §25.1. */
export function nameAddr({ number, name }: Party, host: string): string {
  const shown = name ? `"${name.replace(/["\\]/g, '\\$&')}" ` : '';
  return `${shown}<sip:${number.replaceAll('#', '%23')}@${host}>`;
}
