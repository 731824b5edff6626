/** The session description of a phone (RFC 4566). Nobody listens: no sound is needed to know who talks to whom. */
import type { Address } from './transport.ts';

/** RFC 3264 §5.1, §8.4. */
export type MediaDirection = 'sendrecv' | 'sendonly';

/** Audio in A-law and telephone events at `host:port`; `version` grows with every new offer or answer of a call. */
export function describeMedia(
  host: string,
  port: number,
  version: number,
  direction: MediaDirection,
): string {
  return [
    'v=0',
    `o=- ${port} ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** Where the sound for the other side goes by its description (c= and m=); undefined where it says none. */
export function mediaAddress(description: string): Address | undefined {
  const host = /^c=IN IP4 ([0-9.]+)/m.exec(description)?.[1];
  const port = /^m=audio ([0-9]+) /m.exec(description)?.[1];
  return host === undefined || port === undefined || port === '0' ? undefined : { host, port: Number(port) };
}
