/** Asks whether a client is still there, and takes no client's words for the server's. */

import { StanzaError } from '../errors.ts';
import { type FullJid, fullJid } from '../protocol/jid.ts';
import { escapeXml, xml } from '../protocol/xml.ts';
import type { Xmpp } from './xmpp.ts';

/** What is known after asking; `unknown` where nobody answered. */
export type Finding = 'here' | 'gone' | 'unknown';

/** Who is asked about: a value that is kept for as long as it is the same client, e.g. a session. */
export interface Asked {
  readonly jid: FullJid;
}

/** Asks about clients. */
export interface Asking {
  /** Never rejects; resolves within twice `timeoutMs` milliseconds. */
  ask(client: Asked, timeoutMs: number): Promise<Finding>;
  /** Whether a message that comes back from that JID may be a question of ours. */
  isAsked(jid: FullJid): boolean;
}

// What servers answer for a full JID that is no more: RFC 6121 §8.5.3.2.3, and what s2s says of a lost remote.
const gone = new Set(['service-unavailable', 'item-not-found', 'recipient-unavailable', 'gone']);
// What our own side says where nobody answered, or nobody was asked.
const unanswered = new Set(['remote-server-timeout', 'resource-constraint']);

/**
 * Makes it. A client gets a ping (XEP-0199). `service-unavailable` is what the server says of one that is gone, but also
 * what a client says that knows no pings (XEP-0199 §4.1), so it counts alone only for one that did answer a ping before.
 * Any other gets a second question that no client answers: an empty message of type `groupchat`, which servers deliver to a
 * full JID or bounce (RFC 6121 §8.5.3.2.1). Servers keep the order, so when a ping to ourselves, sent after it, is
 * back and the message is not, it was delivered.
 */
export function createAsking(
  xmpp: Pick<Xmpp, 'domain' | 'onMessage' | 'request' | 'confirm' | 'send'>,
): Asking {
  /** Those that answered a ping; what comes in their place has to prove it anew. */
  const pingable = new WeakSet<Asked>();
  /** Whom the second question went to, and whether it came back. */
  const questions = new Map<FullJid, boolean>();
  let fence: Promise<boolean> | undefined;
  const ping = xml('ping', { xmlns: 'urn:xmpp:ping' });

  /** The condition that a ping was answered with; undefined where it was a result. */
  async function conditionOf(pinging: Promise<unknown>): Promise<string | undefined> {
    try {
      await pinging;
      return undefined;
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      // Of type `wait`: somebody on the way is shutting down, which says nothing about who is behind.
      return error.type === 'wait' && error.condition === 'service-unavailable'
        ? 'remote-server-timeout'
        : error.condition;
    }
  }

  /** One ping to ourselves behind all questions of this turn. True when it came back, with whatever answer. */
  function passed(timeoutMs: number): Promise<boolean> {
    fence ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        fence = undefined;
        conditionOf(xmpp.confirm(timeoutMs)).then(
          (condition) => resolve(condition === undefined || !unanswered.has(condition)),
          reject,
        );
      });
    });
    return fence;
  }

  async function askAgain(jid: FullJid, timeoutMs: number): Promise<Finding> {
    const hints = "<no-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/>";
    const question = `<message to='${escapeXml(jid)}' from='${escapeXml(xmpp.domain)}' type='groupchat'>${hints}</message>`;
    questions.set(jid, false);
    try {
      if (!xmpp.send(question) || !(await passed(timeoutMs))) return 'unknown';
      return questions.get(jid) ? 'gone' : 'here';
    } finally {
      questions.delete(jid);
    }
  }

  xmpp.onMessage(({ type, from }) => {
    const jid = type === 'error' ? fullJid(from) : undefined;
    if (jid !== undefined && questions.has(jid)) questions.set(jid, true);
  });

  return {
    async ask(client, timeoutMs) {
      const condition = await conditionOf(xmpp.request(client.jid, 'get', ping, timeoutMs));
      if (condition === undefined) {
        pingable.add(client);
        return 'here';
      }
      if (unanswered.has(condition)) return 'unknown';
      if (!gone.has(condition)) return 'here';
      if (condition !== 'service-unavailable' || pingable.has(client)) return 'gone';
      return askAgain(client.jid, timeoutMs);
    },
    isAsked: (jid) => questions.has(jid),
  };
}
