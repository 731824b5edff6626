/**
 * Asks users to share their presence with the component (RFC 6121 §3.1): where they do, servers tell it of the end of a session at
 * once. Most clients show that as a contact request, so it is done only where the operator wants it.
 */

import { type BareJid, bareOf } from './protocol/jid.ts';
import { escapeXml } from './protocol/xml.ts';
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
