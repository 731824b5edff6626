/** XEP-0363 (HTTP File Upload), and the link as XEP-0066 (Out of Band Data) has it. */

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { fail, StanzaError } from '../errors.ts';
import type { FullJid } from '../protocol/jid.ts';
import { child, elements, serialize, textOf, type XmlElement, xml } from '../protocol/xml.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Outgoing } from './transfer.ts';

const UPLOAD_NS = 'urn:xmpp:http:upload:0';
const OOB_NS = 'jabber:x:oob';
const HINTS_NS = 'urn:xmpp:hints';

/** What bounds an upload. */
export interface UploadLimits {
  readonly ackMs: number;
  readonly uploadMs: number;
}

/** A place for one file, as the service gave it. */
interface Slot {
  readonly put: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly get: string;
}

/** Uploads by one service. */
export interface Uploads {
  /**
   * Asks for a place. Resolves with what uploads the file and then sends the link, and resolves with how many bytes that were. Throws `Failure`
   * `not-available` with the service's sentence where it refuses.
   */
  begin(file: Outgoing): Promise<(to: FullJid, signal: AbortSignal) => Promise<number>>;
}

/** How long asking for a place may take, milliseconds: within a command's time. */
const SLOT_MS = 5000;

/** Makes it. */
export function createUploads(xmpp: Xmpp, service: string, limits: UploadLimits): Uploads {
  async function slotFor({ name, size, type }: Outgoing): Promise<Slot> {
    const wish = { xmlns: UPLOAD_NS, filename: name, size: String(size), 'content-type': type };
    try {
      const answer = await xmpp.request(service, 'get', xml('request', wish), SLOT_MS);
      return readSlot(answer) ?? fail('not-available', 'The upload service gave no usable address.');
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      return fail('not-available', `The upload service refuses: ${error.message || error.condition}`);
    }
  }

  /** Whether it is on its way. */
  function tell(to: FullJid, content: readonly XmlElement[]): boolean {
    const message = xml('message', { from: xmpp.domain, to, type: 'chat' }, [
      ...content,
      // Whoever has the link has the file: it is for this client, and not for archives.
      xml('no-store', { xmlns: HINTS_NS }),
      xml('no-copy', { xmlns: HINTS_NS }),
    ]);
    return xmpp.send(serialize(message));
  }

  function link(url: string, description: string): readonly XmlElement[] {
    const more = description === '' ? [] : [xml('desc', {}, [description])];
    return [xml('body', {}, [url]), xml('x', { xmlns: OOB_NS }, [xml('url', {}, [url]), ...more])];
  }

  return {
    async begin(file) {
      const slot = await slotFor(file);
      return async (to, signal) => {
        try {
          await put(slot, file, AbortSignal.any([signal, AbortSignal.timeout(limits.uploadMs)]));
        } catch (error) {
          // Success was said: whoever waits for the link is told in words, as the link would have come; why, the operator reads.
          if (!signal.aborted)
            tell(to, [xml('body', {}, [`${file.name} could not be sent: please try again later.`])]);
          throw error;
        }
        if (!tell(to, link(slot.get, file.description)))
          throw new Error('the XMPP server is away: the link was not sent');
        return file.size;
      };
    },
  };
}

/** XEP-0363 §6: the slot; undefined where it is none, or not by HTTPS (unless to this machine). */
function readSlot(answer: XmlElement): Slot | undefined {
  const slot = child(answer, 'slot');
  const [putting, getting] = [slot && child(slot, 'put'), slot && child(slot, 'get')];
  const [put, get] = [secure(putting?.attrs.get('url')), secure(getting?.attrs.get('url'))];
  if (putting === undefined || put === undefined || get === undefined) return undefined;
  const headers: Record<string, string> = {};
  for (const header of elements(putting)) {
    const name = header.attrs.get('name') ?? '';
    // §5: these and no others, without line ends.
    if (/^(authorization|cookie|expires)$/i.test(name))
      headers[name] = textOf(header).replaceAll(/[\r\n]/g, '');
  }
  return { put, get: get.href, headers };
}

function secure(address: string | undefined): URL | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  const here = /^(127\.[0-9.]+|\[::1\]|localhost)$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && here) ? url : undefined;
}

function put(
  { put: url, headers }: Slot,
  { handle, size, type }: Outgoing,
  signal: AbortSignal,
): Promise<void> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sending = request(url, {
      method: 'PUT',
      headers: { ...headers, 'Content-Type': type, 'Content-Length': size },
      signal,
    });
    sending.on('error', reject);
    sending.on('response', (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`the upload service answered ${statusCode}`));
    });
    // `end` is included; an empty file is asked for nothing.
    const source = handle.createReadStream({
      autoClose: false,
      start: 0,
      ...(size > 0 && { end: size - 1 }),
    });
    pipeline(source, sending).catch(reject);
  });
}
