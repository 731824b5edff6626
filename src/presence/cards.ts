/** What the hosted contacts answer besides presence: who they are (XEP-0054), what they can (XEP-0030). */

import type { Directory, User } from '../directory.ts';
import { StanzaError } from '../errors.ts';
import type { Jid } from '../protocol/jid.ts';
import { type XmlElement, xml } from '../protocol/xml.ts';
import type { DiscoInfo, DiscoItem, DiscoSource } from '../xmpp/disco.ts';
import type { IqHandler } from '../xmpp/xmpp.ts';
import { hostedUser, PHONE } from './hosted.ts';
import type { Visibility } from './visibility.ts';

/** XEP-0054 */
export const VCARD_NS = 'vcard-temp';

/** What the answers are made of. */
export interface CardOptions {
  /** The component's domain. */
  readonly domain: string;
  readonly directory: () => Directory;
  readonly visibility: Visibility;
}

/** Who is behind a hosted address, as far as the asker may know. */
type Lookup = (from: Jid, to: Jid) => User | undefined;

function lookup({ domain, directory, visibility }: CardOptions): Lookup {
  return (from, to) => {
    const user = hostedUser(domain, to, directory());
    return user !== undefined && visibility.mayWatch(user, from, directory()) ? user : undefined;
  };
}

/** Answers vCard requests to hosted contacts; to nobody else, as if there were nobody (RFC 6120 §13.11). */
export function answerCards(options: CardOptions): IqHandler {
  const find = lookup(options);
  return ({ from, to, type }) => {
    const user = find(from, to);
    if (user === undefined) throw new StanzaError('service-unavailable', 'there is no card at this address');
    if (type !== 'get') throw new StanzaError('forbidden', 'the directory writes this card');
    return { result: card(user) };
  };
}

function card({ fullName, extension, jid }: User): XmlElement {
  const telephone = [xml('WORK'), xml('VOICE'), xml('NUMBER', {}, [extension])];
  return xml('vCard', { xmlns: VCARD_NS }, [
    xml('FN', {}, [fullName]),
    // The DTD wants a structured name; which part of a full name is which, nobody can tell.
    xml('N', {}, [xml('GIVEN', {}, [fullName])]),
    xml('TEL', {}, telephone),
    xml('JABBERID', {}, [jid]),
  ]);
}

/** Discovery of hosted contacts: the account, and the telephone as its only client. */
export function hostedInfo(options: CardOptions): DiscoSource<DiscoInfo> {
  const find = lookup(options);
  return ({ from, to, node }) => {
    const user = node === undefined ? find(from, to) : undefined;
    if (user === undefined) return undefined;
    if (to.resource === '') {
      const account = { category: 'account', type: 'registered', name: user.fullName };
      return { identities: [account], features: [VCARD_NS] };
    }
    if (to.resource !== PHONE) return undefined;
    return { identities: [{ category: 'client', type: 'phone', name: user.fullName }], features: [] };
  };
}

/** The items of a hosted contact: its telephone. */
export function hostedItems(options: CardOptions): DiscoSource<readonly DiscoItem[]> {
  const find = lookup(options);
  return ({ from, to, node }) => {
    const user = node === undefined ? find(from, to) : undefined;
    if (user === undefined) return undefined;
    return to.resource === '' ? [{ jid: `${to.bare}/${PHONE}`, name: user.fullName }] : [];
  };
}
