/** IQs of ours that wait for their answer. */

import { randomBytes } from 'node:crypto';
import { StanzaError } from '../errors.ts';
import { escapeXml, serialize, type XmlElement } from '../protocol/xml.ts';
import type { Lane } from './outbox.ts';
import { readError } from './stanza.ts';

/** What {@link createRequests} needs. */
export interface RequestOptions {
  /** Our address. */
  readonly from: string;
  /** How many may wait at a time; more are refused with `resource-constraint`. */
  readonly max: number;
  /** Takes the serialised IQ; false while away or full. */
  send(stanza: string, lane: Lane): boolean;
}

/** The table of IQs that wait. */
export interface Requests {
  /** How many wait. */
  readonly size: number;
  /** See `Xmpp.request`. The time runs from the call. `lane`: where it waits to be written; default: among the requests. */
  request(
    to: string,
    type: 'get' | 'set',
    payload: XmlElement,
    timeoutMs: number,
    lane?: Lane,
  ): Promise<XmlElement>;
  /** Takes an IQ of type `result` or `error`; one that answers nothing of ours is ignored. */
  settle(answer: XmlElement): void;
  /** The stream is gone, and every answer with it. */
  failAll(reason: string): void;
}

interface Pending {
  readonly to: string;
  readonly timer: NodeJS.Timeout;
  resolve(answer: XmlElement): void;
  reject(error: StanzaError): void;
}

/** Makes the table. Answers are matched by id and by sender: nobody answers for somebody else (RFC 6120 §8.1.2.1). */
export function createRequests({ from, max, send }: RequestOptions): Requests {
  const pending = new Map<string, Pending>();
  // Unguessable, and unlike those of an earlier process whose late answers may still come.
  const prefix = randomBytes(9).toString('base64url');
  let count = 0;

  function take(id: string): Pending | undefined {
    const found = pending.get(id);
    if (found === undefined) return undefined;
    pending.delete(id);
    clearTimeout(found.timer);
    return found;
  }

  return {
    get size() {
      return pending.size;
    },
    request(to, type, payload, timeoutMs, lane = 'request') {
      if (pending.size >= max) {
        return Promise.reject(
          new StanzaError('resource-constraint', `${max} requests are waiting for answers already`),
        );
      }
      count += 1;
      const id = `${prefix}-${count.toString(36)}`;
      const head = `<iq type='${type}' id='${id}' from='${escapeXml(from)}' to='${escapeXml(to)}'>`;
      if (!send(`${head}${serialize(payload)}</iq>`, lane)) {
        return Promise.reject(
          new StanzaError('remote-server-timeout', 'the XMPP server is away or does not keep up'),
        );
      }
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          take(id)?.reject(
            new StanzaError('remote-server-timeout', `${to} did not answer within ${timeoutMs} ms`),
          );
        }, timeoutMs);
        pending.set(id, { to, timer, resolve, reject });
      });
    },
    settle(answer) {
      const id = answer.attrs.get('id') ?? '';
      const found = pending.get(id);
      if (found === undefined || !sameAddress(found.to, answer.attrs.get('from'))) return;
      take(id);
      if (answer.attrs.get('type') === 'error') found.reject(readError(answer));
      else found.resolve(answer);
    },
    failAll(reason) {
      for (const id of [...pending.keys()])
        take(id)?.reject(new StanzaError('remote-server-timeout', reason));
    },
  };
}

function sameAddress(asked: string, answered: string | undefined): boolean {
  if (answered === undefined) return false;
  return asked === answered || canonical(asked) === canonical(answered);
}

/** Case does not tell local parts and domains apart, but resources. */
function canonical(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? jid.toLowerCase() : jid.slice(0, slash).toLowerCase() + jid.slice(slash);
}
