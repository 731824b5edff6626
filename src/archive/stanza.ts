/** Messages as servers keep them: serialized stanzas. */

import { type Element, parse } from 'ltx';

/** What a person would read of a stanza. */
export interface Said {
  /** As the stanza has them; empty where it does not say. */
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

// XEP-0380 and what came before it: OMEMO, OpenPGP. The body of these is a word to clients that cannot read them.
const encrypted = new Set([
  'urn:xmpp:eme:0',
  'eu.siacs.conversations.axolotl',
  'urn:xmpp:omemo:1',
  'urn:xmpp:omemo:2',
  'jabber:x:encrypted',
  'urn:xmpp:openpgp:0',
]);

/** Reads a stored message; undefined for what has no text that anybody wrote: receipts, markers, encrypted messages, broken XML. */
export function readStanza(xml: string): Said | undefined {
  let stanza: Element;
  try {
    stanza = parse(xml);
  } catch {
    return undefined;
  }
  const children = stanza.children.filter((node): node is Element => typeof node !== 'string');
  if (stanza.name !== 'message' || children.some((node) => encrypted.has(node.getNS() ?? '')))
    return undefined;
  const bodies = children.filter((node) => node.name === 'body' && node.getNS() === stanza.getNS());
  const body = bodies[0]?.getText() ?? '';
  if (body === '') return undefined;
  return { from: stanza.attrs.from ?? '', to: stanza.attrs.to ?? '', body };
}
