/** The presence stanzas that telephones send (RFC 6121 §4). */

import type { TelephoneState } from '../calls/presence.ts';
import { escapeXml } from '../protocol/xml.ts';

/** XEP-0172 */
const NICK_NS = 'http://jabber.org/protocol/nick';

/** What is inside an available presence, by state. `unavailable` is a type of its own. */
const bodies: Readonly<Record<Exclude<TelephoneState, 'unavailable'>, string>> = {
  // Away for long (xa) is the nearest there is to "nobody knows": no client takes it for free or for busy.
  unknown: '<show>xa</show><status>Telephone state unknown</status>',
  free: '',
  ringing: '<show>away</show><status>Ringing</status>',
  busy: '<show>dnd</show><status>On the phone</status>',
  dnd: '<show>dnd</show><status>Do not disturb</status>',
};

/** A telephone's presence to one address. `more` stands at the end of an available presence, e.g. a priority. */
export function telephonePresence(from: string, to: string, state: TelephoneState, more = ''): string {
  const addresses = `from='${escapeXml(from)}' to='${escapeXml(to)}'`;
  if (state === 'unavailable') return `<presence type='unavailable' ${addresses}/>`;
  const body = bodies[state] + more;
  return body === '' ? `<presence ${addresses}/>` : `<presence ${addresses}>${body}</presence>`;
}

/** Grants a subscription (RFC 6121 §3.1.5); the nickname is what clients may call the contact (XEP-0172 §4.2). */
export function subscribed(from: string, to: string, nickname: string): string {
  const nick = `<nick xmlns='${NICK_NS}'>${escapeXml(nickname)}</nick>`;
  return `<presence type='subscribed' from='${escapeXml(from)}' to='${escapeXml(to)}'>${nick}</presence>`;
}

/** Refuses a subscription, or takes it back (RFC 6121 §3.2). */
export function unsubscribed(from: string, to: string): string {
  return `<presence type='unsubscribed' from='${escapeXml(from)}' to='${escapeXml(to)}'/>`;
}
