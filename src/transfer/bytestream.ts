/** XEP-0047: In-Band Bytestreams, the sending side: a block at a time, each confirmed before the next. */

import type { FileHandle } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { StanzaError } from '../errors.ts';
import type { FullJid } from '../protocol/jid.ts';
import { xml } from '../protocol/xml.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import { IBB_NS, type Part } from './offer.ts';

/** What bounds a stream. */
export interface StreamLimits {
  readonly blockBytes: number;
  readonly bytesPerSecond: number;
  readonly ackMs: number;
  readonly patienceMs: number;
}

/** The streams under way. */
export interface Bytestreams {
  /** Opens a stream that the client has accepted, sends a part of a file, closes it. Rejects where the client, the time or `signal` ends it. */
  send(to: FullJid, id: string, handle: FileHandle, part: Part, signal: AbortSignal): Promise<void>;
}

/** How often a stream that events keep waiting looks whether it may go on, milliseconds. */
const LOOK_MS = 50;
/** The smallest block that is tried with a client that finds others too large. */
const SMALLEST = 512;

/** Makes it, and serves clients that close a stream. */
export function createBytestreams(xmpp: Xmpp, limits: StreamLimits): Bytestreams {
  /** Streams by receiver and id. */
  const open = new Map<string, { closed: boolean }>();
  const keyOf = (to: string, id: string) => `${to} ${id}`;

  xmpp.onIq(
    IBB_NS,
    ({ from, payload }) => {
      const stream = open.get(keyOf(`${from.bare}/${from.resource}`, payload.attrs.get('sid') ?? ''));
      if (stream === undefined)
        return { error: new StanzaError('item-not-found', 'There is no such stream.') };
      stream.closed = true;
      return { result: undefined };
    },
    'close',
  );

  const ask = (
    to: FullJid,
    name: string,
    id: string,
    more: Readonly<Record<string, string>>,
    content: string[] = [],
  ) => xmpp.request(to, 'set', xml(name, { xmlns: IBB_NS, sid: id, ...more }, content), limits.ackMs);

  /** Opens with a block size that the client takes: XEP-0047 §2.1 has it answer `resource-constraint` to one that is too large. */
  async function openStream(to: FullJid, id: string): Promise<number> {
    for (let size = limits.blockBytes; ; size = Math.floor(size / 2)) {
      try {
        await ask(to, 'open', id, { 'block-size': String(size), stanza: 'iq' });
        return size;
      } catch (error) {
        const tooLarge = error instanceof StanzaError && error.condition === 'resource-constraint';
        if (!tooLarge || size / 2 < SMALLEST) throw error;
      }
    }
  }

  /** Events go first: a block waits until they have room. */
  async function room(signal: AbortSignal): Promise<void> {
    for (let waited = 0; !xmpp.hasRoom; waited += LOOK_MS) {
      if (waited >= limits.patienceMs) throw new Error('the XMPP server does not keep up');
      await setTimeout(LOOK_MS, undefined, { signal });
    }
  }

  return {
    async send(to, id, handle, { offset, length }, signal) {
      const stream = { closed: false };
      open.set(keyOf(to, id), stream);
      try {
        const size = await openStream(to, id);
        const block = Buffer.alloc(size);
        let sequence = 0;
        for (let sent = 0; sent < length; ) {
          const { bytesRead } = await handle.read(block, 0, Math.min(size, length - sent), offset + sent);
          if (bytesRead === 0) throw new Error('the file became shorter');
          await room(signal);
          if (stream.closed) throw new Error('the client closed the stream');
          const next = setTimeout((bytesRead * 1000 * open.size) / limits.bytesPerSecond, undefined, {
            signal,
          });
          // The pace is the client's, and never more than a share of what all streams may take.
          await Promise.all([
            next,
            ask(to, 'data', id, { seq: String(sequence) }, [block.toString('base64', 0, bytesRead)]),
          ]);
          sent += bytesRead;
          sequence = (sequence + 1) % 65_536;
        }
      } catch (error) {
        // So that the client does not wait for more; whether it hears is its own affair.
        if (!stream.closed) ask(to, 'close', id, {}).catch(() => {});
        throw error;
      } finally {
        open.delete(keyOf(to, id));
      }
      await ask(to, 'close', id, {});
    },
  };
}
