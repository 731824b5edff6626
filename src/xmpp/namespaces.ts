/** Namespaces of the XMPP core and of the extensions that this folder speaks itself. */

/** RFC 6120 §4.8.1 */
export const STREAM_NS = 'http://etherx.jabber.org/streams';
/** RFC 6120 §8.3.2 */
export const STANZAS_NS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
/** XEP-0114 §3 */
export const COMPONENT_NS = 'jabber:component:accept';
/** XEP-0030 */
export const DISCO_INFO_NS = 'http://jabber.org/protocol/disco#info';
/** XEP-0030 */
export const DISCO_ITEMS_NS = 'http://jabber.org/protocol/disco#items';
/** XEP-0092 */
export const VERSION_NS = 'jabber:iq:version';
/** XEP-0199 */
export const PING_NS = 'urn:xmpp:ping';
/** XEP-0202 */
export const TIME_NS = 'urn:xmpp:time';
/** XEP-0297 §3 */
export const FORWARD_NS = 'urn:xmpp:forward:0';
/** The content namespace of clients' streams (RFC 6120 §4.8.2), which forwarded stanzas are in. */
export const CLIENT_NS = 'jabber:client';
/** XEP-0355: version 0.4 and later, as Prosody speaks it. */
export const DELEGATION_2_NS = 'urn:xmpp:delegation:2';
/** XEP-0355: up to version 0.3, as ejabberd speaks it. */
export const DELEGATION_1_NS = 'urn:xmpp:delegation:1';
/** XEP-0356; the number differs between servers. COMPAT: ejabberd 23 says 1, later ones and Prosody 2. */
export const PRIVILEGE_NS = /^urn:xmpp:privilege:\d+$/;
/** RFC 6121 §2.1 */
export const ROSTER_NS = 'jabber:iq:roster';
