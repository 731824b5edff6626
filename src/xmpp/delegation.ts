/**
 * XEP-0355: Namespace Delegation. The server hands us IQs that its users sent to nobody, to it, or to their own account;
 * clients that know of no component reach us that way.
 *
 * COMPAT: Prosody (mod_delegation, 0.12 and 13) does not delegate an IQ of type `get` with white space around its payload, and
 * drops answers with white space around theirs. ejabberd 24.12 with mod_privilege drops our answers, and delegates nothing.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { StanzaError } from '../errors.ts';
import { type Jid, parseJid } from '../protocol/jid.ts';
import { elements, type XmlElement, xml } from '../protocol/xml.ts';
import type { DiscoInfo, DiscoSource } from './disco.ts';
import { CLIENT_NS, DELEGATION_1_NS, DELEGATION_2_NS, FORWARD_NS } from './namespaces.ts';
import { isComponent } from './own.ts';
import { errorElement } from './stanza.ts';
import type { AnswerFrame, IqAnswer, IqRequest, Stanza, Xmpp } from './xmpp.ts';

/** Every version there is; which one a server speaks, its stanzas say. */
const versions = [DELEGATION_1_NS, DELEGATION_2_NS] as const;

/** What is delegated, and by whom. */
export interface Delegated {
  /** The namespace that the server is to delegate. */
  readonly namespace: string;
  /** Domains whose servers may delegate to us, each for its own users; in lower case. */
  readonly domains: ReadonlySet<string>;
}

/** What {@link serveDelegation} needs. */
export interface DelegationOptions extends Delegated {
  /** Serves the payload of a delegated IQ. `from` is the user whose server vouches for it. */
  serve(from: Jid, payload: XmlElement): Promise<IqAnswer> | IqAnswer;
}

/**
 * What a server asks before it delegates (XEP-0355 §7.2): which features the namespace brings, for the server and for its
 * users' accounts. COMPAT: ejabberd delegates nothing until this was answered with a result; Prosody does not care.
 *
 * COMPAT: ejabberd 26 asks as soon as the stream is up, and its mod_privilege drops what a component says before it has heard
 * of that itself (component_connected is a cast to each module). So an answer in the version that ejabberd speaks waits
 * `afterMs` milliseconds; ejabberd would wait for half a minute.
 */
export function delegationInfo({ namespace, domains }: Delegated, afterMs = 500): DiscoSource<DiscoInfo> {
  const nodes = new Map<string, number>();
  for (const ns of versions) {
    for (const part of ['', 'bare']) {
      nodes.set(`${ns}:${part}:${namespace}`, ns === DELEGATION_1_NS ? afterMs : 0);
    }
  }
  const info: DiscoInfo = { identities: [], features: [namespace] };
  return ({ from, node = '' }) => {
    const waitMs = nodes.get(node);
    if (waitMs === undefined || !isServer(from, domains)) return undefined;
    return waitMs === 0 ? info : wait(waitMs, info);
  };
}

/** Serves IQs that a server delegates; answers and errors alike go inside, for the user who asked. */
export function serveDelegation(xmpp: Xmpp, { namespace, domains, serve }: DelegationOptions): void {
  const handler = (request: IqRequest) => {
    const { from, to } = request;
    // Only servers forward what others said; from anybody else it would be a forged identity.
    if (!isServer(from, domains) || !isComponent(xmpp, to)) {
      throw new StanzaError('forbidden', `${from.domain} does not delegate to ${xmpp.domain}`);
    }
    const iq = forwarded(request.payload);
    if (iq === undefined)
      throw new StanzaError('bad-request', 'delegation: exactly one forwarded IQ is expected');
    const { sender, payload } = admit(iq, from.domain);
    if (payload.ns !== namespace) {
      throw new StanzaError('service-unavailable', `${payload.ns ?? payload.name}: not served here`);
    }
    return serve(sender, payload);
  };
  const frame: AnswerFrame = ({ from, payload }, answer) => {
    const iq = isServer(from, domains) ? forwarded(payload) : undefined;
    return iq === undefined ? answer : { result: wrapped(payload.ns, iq, from.domain, answer) };
  };
  for (const ns of versions) xmpp.onIq(ns, handler, 'delegation', frame);
}

/** Whether this message of a server says that the namespace is delegated (XEP-0355 §4.2). COMPAT: ejabberd says it twice. */
export function isAdvert({ from, element }: Stanza, { namespace, domains }: Delegated): boolean {
  return (
    isServer(from, domains) &&
    elements(element)
      .filter(({ name, ns }) => name === 'delegation' && versions.some((each) => each === ns))
      .flatMap(elements)
      .some(({ name, attrs }) => name === 'delegated' && attrs.get('namespace') === namespace)
  );
}

function isServer({ bare, domain, resource }: Jid, domains: ReadonlySet<string>): boolean {
  return bare === domain && resource === '' && domains.has(domain);
}

/** The user's IQ in a `delegation` element; undefined where it is malformed. */
function forwarded(delegation: XmlElement): XmlElement | undefined {
  const outer = onlyChild(delegation, 'forwarded', FORWARD_NS);
  return outer && onlyChild(outer, 'iq', CLIENT_NS);
}

function onlyChild(parent: XmlElement, name: string, ns: string): XmlElement | undefined {
  const [found, ...more] = elements(parent);
  return found?.name === name && found.ns === ns && more.length === 0 ? found : undefined;
}

/** Who asks for what. Throws where it may not be delegated: servers hand on what strangers sent to their users, too. */
function admit(iq: XmlElement, domain: string): { readonly sender: Jid; readonly payload: XmlElement } {
  const sender = parseJid(iq.attrs.get('from') ?? '');
  if (sender === undefined || sender.local === '' || sender.domain !== domain) {
    throw new StanzaError('forbidden', `only users of ${domain} are served here`);
  }
  // What the server itself would answer: nobody shall find out by us whose account exists (RFC 6120 §13.11).
  if (!isOwn(iq.attrs.get('to'), sender)) {
    throw new StanzaError(
      'service-unavailable',
      'send commands to nobody, to the server, or to your own account',
    );
  }
  const type = iq.attrs.get('type');
  const [payload, ...more] = elements(iq);
  if ((type !== 'get' && type !== 'set') || payload === undefined || more.length > 0) {
    throw new StanzaError(
      'bad-request',
      "iq: type 'get' or 'set' and exactly one child element are expected",
    );
  }
  return { sender, payload };
}

function isOwn(to: string | undefined, sender: Jid): boolean {
  if (to === undefined) return true;
  const target = parseJid(to);
  return target?.resource === '' && (target.bare === sender.bare || target.bare === sender.domain);
}

/**
 * The answer in the frame that the server takes apart. An error of the frame itself would leave the user without any answer on
 * ejabberd. `from` is written always: ejabberd refuses an answer without it.
 */
function wrapped(ns: string | undefined, iq: XmlElement, domain: string, answer: IqAnswer): XmlElement {
  const from = iq.attrs.get('from') ?? '';
  const own = parseJid(from)?.bare ?? domain;
  const content = 'error' in answer ? errorElement(answer.error) : answer.result;
  const attrs = {
    xmlns: CLIENT_NS,
    from: iq.attrs.get('to') ?? own,
    to: from,
    id: iq.attrs.get('id'),
    type: 'error' in answer ? 'error' : 'result',
  };
  const forward = xml('forwarded', { xmlns: FORWARD_NS }, [
    xml('iq', attrs, content === undefined ? [] : [content]),
  ]);
  return xml('delegation', { xmlns: ns }, [forward]);
}
