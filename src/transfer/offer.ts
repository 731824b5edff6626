/** XEP-0096 (SI File Transfer) by XEP-0095: what is offered, and what of it a client takes. */

import { randomUUID } from 'node:crypto';
import { child, elements, textOf, type XmlElement, xml } from '../protocol/xml.ts';

const SI_NS = 'http://jabber.org/protocol/si';
export const FILE_TRANSFER_NS = 'http://jabber.org/protocol/si/profile/file-transfer';
export const IBB_NS = 'http://jabber.org/protocol/ibb';
const FEATURE_NEG_NS = 'http://jabber.org/protocol/feature-neg';
const DATA_FORM_NS = 'jabber:x:data';

/** A part of a file, bytes. */
export interface Part {
  readonly offset: number;
  readonly length: number;
}

/** An offer, and the id of the stream that would follow it. A client may take any part of the file: what it has already is not sent again. */
export function makeOffer(file: {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly description: string;
  readonly date: number;
}): { readonly id: string; readonly offer: XmlElement } {
  const id = randomUUID();
  const attributes = {
    xmlns: FILE_TRANSFER_NS,
    name: file.name,
    size: String(file.size),
    date: new Date(file.date).toISOString(),
  };
  const offered = xml('file', attributes, [xml('desc', {}, [file.description]), xml('range', {})]);
  const field = xml('field', { var: 'stream-method', type: 'list-single' }, [
    xml('option', {}, [xml('value', {}, [IBB_NS])]),
  ]);
  const form = xml('x', { xmlns: DATA_FORM_NS, type: 'form' }, [field]);
  const offer = xml('si', { xmlns: SI_NS, id, 'mime-type': file.type, profile: FILE_TRANSFER_NS }, [
    offered,
    xml('feature', { xmlns: FEATURE_NEG_NS }, [form]),
  ]);
  return { id, offer };
}

/** What a client takes by the answer to an offer; undefined where it names another method, or a part that the file has not. */
export function readAcceptance(answer: XmlElement, size: number): Part | undefined {
  const si = child(answer, 'si');
  const form = si && child(child(si, 'feature') ?? si, 'x');
  const field = form && elements(form).find(({ attrs }) => attrs.get('var') === 'stream-method');
  const value = field && child(field, 'value');
  if (si === undefined || value === undefined || textOf(value).trim() !== IBB_NS) return undefined;
  const file = child(si, 'file');
  const range = file && child(file, 'range');
  const offset = whole(range?.attrs.get('offset') ?? '0');
  const length = whole(range?.attrs.get('length') ?? String(size - (offset ?? 0)));
  if (offset === undefined || length === undefined || offset + length > size) return undefined;
  return { offset, length };
}

function whole(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}
