/** Writing and reading the frame of stanzas: addresses, IQ answers, errors (RFC 6120 §8). */

import { isStanzaCondition, StanzaError } from '../errors.ts';
import { type Jid, parseJid } from '../protocol/jid.ts';
import { child, elements, escapeXml, serialize, textOf, type XmlElement, xml } from '../protocol/xml.ts';
import { STANZAS_NS } from './namespaces.ts';
import type { IqAnswer, Stanza } from './xmpp.ts';

/** Whose IQ is answered, as it was addressed: the answer goes from `to` to `from`. */
export interface Addressed {
  readonly id: string | undefined;
  readonly from: string;
  readonly to: string;
}

/** The one answer to an IQ. */
export function writeAnswer({ id, from, to }: Addressed, answer: IqAnswer): string {
  const head = `<iq from='${escapeXml(to)}' to='${escapeXml(from)}'${id === undefined ? '' : ` id='${escapeXml(id)}'`}`;
  if ('error' in answer) return `${head} type='error'>${serialize(errorElement(answer.error))}</iq>`;
  if (answer.result === undefined) return `${head} type='result'/>`;
  return `${head} type='result'>${serialize(answer.result)}</iq>`;
}

/** The `error` element of an IQ that says so (RFC 6120 §8.3.2). */
export function errorElement({ condition, type, message }: StanzaError): XmlElement {
  const defined = xml(condition, { xmlns: STANZAS_NS });
  const text = message === '' ? [] : [xml('text', { xmlns: STANZAS_NS, 'xml:lang': 'en' }, [message])];
  return xml('error', { type }, [defined, ...text]);
}

/** Reads the error of a stanza of type `error`; a condition that RFC 6120 does not know becomes `undefined-condition`. */
export function readError(stanza: XmlElement): StanzaError {
  const error = child(stanza, 'error');
  const parts = error === undefined ? [] : elements(error).filter(({ ns }) => ns === STANZAS_NS);
  const condition = parts.map(({ name }) => name).find(isStanzaCondition) ?? 'undefined-condition';
  const text = parts.find(({ name }) => name === 'text');
  const type = error?.attrs.get('type');
  const said = text === undefined ? '' : textOf(text);
  switch (type) {
    case 'auth':
    case 'cancel':
    case 'modify':
    case 'wait':
      return new StanzaError(condition, said, type);
    default:
      return new StanzaError(condition, said);
  }
}

/** A presence or message as its listeners get it; undefined where the sender's or our address is no JID. */
export function readStanza(element: XmlElement, domain: string, defaultType: string): Stanza | undefined {
  const from = jidAttribute(element, 'from');
  const to = element.attrs.has('to') ? jidAttribute(element, 'to') : parseJid(domain);
  if (from === undefined || to === undefined) return undefined;
  return { from, to, type: element.attrs.get('type') ?? defaultType, id: element.attrs.get('id'), element };
}

/** A JID in an attribute; undefined where there is none. */
function jidAttribute(element: XmlElement, name: string): Jid | undefined {
  const text = element.attrs.get(name);
  return text === undefined ? undefined : parseJid(text);
}
