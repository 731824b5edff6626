/**
 * Presence between users and the component itself (RFC 6121 §3). Where users share theirs with it, servers tell it of the end of a
 * session at once; most clients show that as a contact request, so it asks only where the operator wants it. It has none of its own.
 */

import { type BareJid, bareOf } from './protocol/jid.ts';
import { escapeXml } from './protocol/xml.ts';
import { createRateLimit } from './rate.ts';
import type { Session } from './sessions.ts';
import type { Xmpp } from './xmpp/xmpp.ts';

/**
 * Makes what is to be called with each session that opens. Each user is asked once in the life of the process; one who has agreed
 * before is not bothered, the server answers instead (RFC 6121 §3.1.3). `users` = how many to remember.
 */
export function createPresenceRequest(
  xmpp: Pick<Xmpp, 'domain' | 'send'>,
  users: number,
): (session: Session) => void {
  const asked = new Set<BareJid>();
  return ({ jid }) => {
    const user = bareOf(jid);
    if (asked.has(user) || asked.size >= users) return;
    if (xmpp.send(`<presence type='subscribe' from='${escapeXml(xmpp.domain)}' to='${escapeXml(user)}'/>`)) {
      asked.add(user);
    }
  };
}

/** Refusals per second, and at once: more of those who ask get no answer, so that they cannot crowd out anybody's events. */
const refusals = { perSecond: 50, burst: 500 };

/**
 * Refuses those who want to see the component's own presence, as clients do that answer a request with one of theirs: it has none to
 * show, and a request that nobody answers would be shown as open for ever. What they grant stays in force. `monotonic`:
 * milliseconds that only go forward.
 */
export function refuseWatchers(
  xmpp: Pick<Xmpp, 'domain' | 'onPresence' | 'send'>,
  monotonic: () => number,
): void {
  const rate = createRateLimit<''>({ ...refusals, keys: 1, monotonic });
  xmpp.onPresence(({ type, from, to }) => {
    if (type !== 'subscribe' || to.bare !== xmpp.domain || !rate.take('')) return;
    const addresses = `from='${escapeXml(xmpp.domain)}' to='${escapeXml(from.bare)}'`;
    xmpp.send(`<presence type='unsubscribed' ${addresses}/>`);
  });
}
