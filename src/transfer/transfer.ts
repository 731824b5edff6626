/** Sends files to clients: as a stream within XMPP (XEP-0096 over XEP-0047), or by a link (XEP-0363, XEP-0066). */

import type { FileHandle } from 'node:fs/promises';
import { type Bounded, createBound } from '../bounds.ts';
import { Failure, fail, StanzaError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type BareJid, bareOf, type FullJid } from '../protocol/jid.ts';
import { child, elements, xml } from '../protocol/xml.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import { createBytestreams } from './bytestream.ts';
import { FILE_TRANSFER_NS, IBB_NS, makeOffer, readAcceptance } from './offer.ts';
import { createUploads } from './upload.ts';

/** A file to be sent; it is closed when it has been, whatever happens. */
export interface Outgoing {
  readonly handle: FileHandle;
  /** Bytes; what is appended meanwhile is not sent. */
  readonly size: number;
  readonly name: string;
  /** Media type. */
  readonly type: string;
  /** For people; may be empty. */
  readonly description: string;
  /** When it was made, epoch milliseconds. */
  readonly date: number;
}

/** How a file reaches a client. */
export type Method = 'stream' | 'link';

/** The transfers. */
export interface Transfer extends Partial<Bounded> {
  /** Transfers under way. */
  readonly running: number;
  /**
   * Begins to send, and returns: a stream is offered to the client next, a link follows when the file has been uploaded. Without `method`: a
   * stream to clients that say they take one, else a link where there is an upload service, else a stream. Throws `Failure`: `rejected` at a limit,
   * `not-supported` where the way is closed, `not-available` where the upload service refuses. Closes the file where it throws.
   */
  send(to: FullJid, file: Outgoing, method?: Method): Promise<void>;
  /** Ends what is under way. */
  stop(): void;
}

/** Bounds of transfers. */
export interface TransferLimits {
  /** Transfers at a time, and of one user. */
  readonly all: number;
  readonly perUser: number;
  /** Bytes of a file in one stanza before it is encoded. */
  readonly blockBytes: number;
  /** Bytes a second of all streams together. */
  readonly bytesPerSecond: number;
  /** How long a client may take to say what it can, a person to accept, and a client to confirm a block, milliseconds. */
  readonly discoMs: number;
  readonly offerMs: number;
  readonly ackMs: number;
  /** How long events may keep a stream waiting. */
  readonly patienceMs: number;
  /** From the first byte of an upload to the last. */
  readonly uploadMs: number;
}

const defaults: TransferLimits = {
  all: 20,
  perUser: 3,
  // What XEP-0047 recommends, and every client takes.
  blockBytes: 4096,
  bytesPerSecond: 256 * 1024,
  discoMs: 3000,
  offerMs: 120_000,
  ackMs: 30_000,
  patienceMs: 60_000,
  uploadMs: 600_000,
};

const DISCO_INFO_NS = 'http://jabber.org/protocol/disco#info';

/** Makes it. `uploadService`: the JID of the server's XEP-0363 service; undefined: there are no links. */
export function createTransfer(options: {
  readonly xmpp: Xmpp;
  readonly uploadService: string | undefined;
  readonly log: Log;
  readonly limits?: Partial<TransferLimits>;
}): Transfer {
  const { xmpp, uploadService, log } = options;
  const limits = { ...defaults, ...options.limits };
  const streams = createBytestreams(xmpp, limits);
  const uploads = uploadService === undefined ? undefined : createUploads(xmpp, uploadService, limits);
  const running = new Map<AbortController, BareJid>();
  const bound = createBound('transfers', limits.all, () => running.size);

  /** Whether the client says that it takes streams; undefined where it says nothing. */
  async function takesStreams(to: FullJid): Promise<boolean | undefined> {
    try {
      const answer = await xmpp.request(to, 'get', xml('query', { xmlns: DISCO_INFO_NS }), limits.discoMs);
      const query = child(answer, 'query');
      const features = new Set(query && elements(query).map(({ attrs }) => attrs.get('var')));
      return features.has(FILE_TRANSFER_NS) && features.has(IBB_NS);
    } catch {
      return undefined;
    }
  }

  async function choose(to: FullJid, wanted: Method | undefined): Promise<Method> {
    if (wanted === 'link' && uploads === undefined) {
      fail('not-supported', 'This system has no service for links: ask for a stream.');
    }
    if (wanted !== undefined) return wanted;
    return (await takesStreams(to)) !== true && uploads !== undefined ? 'link' : 'stream';
  }

  async function stream(to: FullJid, file: Outgoing, signal: AbortSignal): Promise<number> {
    const { id, offer } = makeOffer(file);
    const accepted = readAcceptance(await xmpp.request(to, 'set', offer, limits.offerMs), file.size);
    if (accepted === undefined) {
      throw new StanzaError('bad-request', 'the client accepted a part or a method that was not offered');
    }
    await streams.send(to, id, file.handle, accepted, signal);
    return accepted.length;
  }

  function admit(to: FullJid): AbortController {
    const user = bareOf(to);
    const own = [...running.values()].filter((each) => each === user).length;
    if (own >= limits.perUser) fail('rejected', `You have ${own} transfers already: wait until one is over.`);
    if (!bound.admits()) fail('rejected', 'Too many files are being sent: try again later.');
    const control = new AbortController();
    running.set(control, user);
    return control;
  }

  return {
    bounds: [bound],
    get running() {
      return running.size;
    },
    async send(to, file, wanted) {
      let control: AbortController | undefined;
      const end = async () => {
        if (control !== undefined) running.delete(control);
        await file.handle.close().catch((error) => {
          log.warn({ file: file.name, reason: reasonOf(error) }, 'a file that was sent cannot be closed');
        });
      };
      try {
        control = admit(to);
        const { signal } = control;
        const method = await choose(to, wanted);
        // What the service refuses, the person can be told at once; what a client does with an offer, it shows itself.
        const work =
          method === 'stream' || uploads === undefined
            ? stream(to, file, signal)
            : (await uploads.begin(file))(to, signal);
        work
          .then(
            (bytes) => log.info({ to, file: file.name, method, bytes }, 'a file was sent'),
            (error) =>
              log.warn({ to, file: file.name, method, reason: reasonOf(error) }, 'a file was not sent'),
          )
          .finally(end);
      } catch (error) {
        await end();
        if (error instanceof Failure) throw error;
        fail('not-available', `The file cannot be sent: ${reasonOf(error)}`);
      }
    },
    stop() {
      for (const control of running.keys()) control.abort();
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof StanzaError) return error.message || error.condition;
  return error instanceof Error ? error.message : String(error);
}
