/** XEP-0030: Service Discovery. */

import { StanzaError } from '../errors.ts';
import type { Jid } from '../protocol/jid.ts';
import { type XmlElement, xml } from '../protocol/xml.ts';
import { DISCO_INFO_NS, DISCO_ITEMS_NS } from './namespaces.ts';
import { isComponent } from './own.ts';
import type { IqHandler, Xmpp } from './xmpp.ts';

/** Who asks what about whom. */
export interface DiscoQuery {
  readonly from: Jid;
  readonly to: Jid;
  /** Undefined: the entity itself. */
  readonly node: string | undefined;
}

/** What an entity or node is, and what it can do. */
export interface DiscoInfo {
  /** From the registrar's list of service discovery identities. */
  readonly identities: readonly {
    readonly category: string;
    readonly type: string;
    readonly name?: string;
  }[];
  /** Namespaces; the one of disco#info is added where it is missing (XEP-0030 §3.1). */
  readonly features: readonly string[];
}

/** One item of an entity or node. */
export interface DiscoItem {
  readonly jid: string;
  readonly node?: string;
  readonly name?: string;
}

/** Knows some entities or nodes; undefined for the others. */
export type DiscoSource<T> = (query: DiscoQuery) => T | undefined | Promise<T | undefined>;

/** What {@link serveDisco} asks, in this order; the first that knows answers. */
export interface DiscoSources {
  readonly info: readonly DiscoSource<DiscoInfo>[];
  readonly items: readonly DiscoSource<readonly DiscoItem[]>[];
}

/**
 * The component itself. Its identity is `component/generic`: `gateway/sip` would make clients offer it as a transport, to
 * register with (XEP-0100) and to write through to telephones, which it is not. `features` is asked each time.
 */
export function componentInfo(
  xmpp: Pick<Xmpp, 'domain'>,
  name: string,
  features: () => readonly string[],
): DiscoSource<DiscoInfo> {
  const identities = [{ category: 'component', type: 'generic', name }];
  return ({ to, node }) =>
    isComponent(xmpp, to) && node === undefined ? { identities, features: features() } : undefined;
}

/** Answers disco#info and disco#items. What no source knows: `item-not-found` for nodes of the component, else `service-unavailable`. */
export function serveDisco(xmpp: Xmpp, { info, items }: DiscoSources): void {
  xmpp.onIq(DISCO_INFO_NS, answerFrom(xmpp, info, writeInfo), 'query');
  // XEP-0030 §4.1: who is there but has no items answers with none.
  const empty: DiscoSource<readonly DiscoItem[]> = ({ to, node }) =>
    isComponent(xmpp, to) && node === undefined ? [] : undefined;
  xmpp.onIq(DISCO_ITEMS_NS, answerFrom(xmpp, [...items, empty], writeItems), 'query');
}

function answerFrom<T>(
  xmpp: Xmpp,
  sources: readonly DiscoSource<T>[],
  write: (found: T, node: string | undefined) => XmlElement,
): IqHandler {
  return async ({ from, to, type, payload }) => {
    if (type !== 'get') throw new StanzaError('bad-request', "disco: the IQ must be of type 'get'");
    const node = payload.attrs.get('node') || undefined;
    for (const source of sources) {
      const found = await source({ from, to, node });
      if (found !== undefined) return { result: write(found, node) };
    }
    if (isComponent(xmpp, to)) throw new StanzaError('item-not-found', `no node ${node} here`);
    // The same whether somebody is hosted there or not: nobody shall try out addresses (RFC 6120 §13.11).
    throw new StanzaError('service-unavailable', 'nothing to discover at this address');
  };
}

function writeInfo({ identities, features }: DiscoInfo, node: string | undefined): XmlElement {
  const all = new Set([DISCO_INFO_NS, ...features]);
  const children = [
    ...identities.map(({ category, type, name }) => xml('identity', { category, type, name })),
    ...[...all].map((feature) => xml('feature', { var: feature })),
  ];
  return xml('query', { xmlns: DISCO_INFO_NS, node }, children);
}

function writeItems(found: readonly DiscoItem[], node: string | undefined): XmlElement {
  const children = found.map(({ jid, node: itemNode, name }) => xml('item', { jid, node: itemNode, name }));
  return xml('query', { xmlns: DISCO_ITEMS_NS, node }, children);
}
