/** XEP-0356: Privileged Entity. What each server domain lets the component do, learned from what the domain advertises. */

import type { Log } from '../log.ts';
import { elements, type XmlElement } from '../protocol/xml.ts';
import { PRIVILEGE_NS } from './namespaces.ts';
import type { Stanza, Xmpp } from './xmpp.ts';

/** What one domain grants (XEP-0356 §4.2). */
export interface Privileges {
  /** The namespace of the advertisement, which requests to this server have to use, too. */
  readonly ns: string;
  readonly roster: 'none' | 'get' | 'set' | 'both';
  readonly message: 'none' | 'outgoing';
  /** `managed_entity`: presence of the domain's users; `roster`: that of their contacts besides. */
  readonly presence: 'none' | 'managed_entity' | 'roster';
  /** Namespaces in which IQs may be sent in a user's name. */
  readonly iq: ReadonlyMap<string, 'get' | 'set' | 'both'>;
}

/** The privileges in force. Nothing is granted before a domain says so, nor after the stream was lost until it says so again. */
export interface PrivilegeWatch {
  /** Undefined where the domain has granted nothing. */
  of(domain: string): Privileges | undefined;
  /** Calls back whenever a domain's grant is another one; undefined: no more. Returns the unsubscription. */
  onChange(listener: (domain: string, privileges: Privileges | undefined) => void): () => void;
}

/** Whether rosters of that domain may be read. */
export function readsRosters(granted: Privileges | undefined): boolean {
  return granted?.roster === 'get' || granted?.roster === 'both';
}

/** Whether rosters of that domain may be changed. */
export function writesRosters(granted: Privileges | undefined): boolean {
  return granted?.roster === 'set' || granted?.roster === 'both';
}

/** Whether the domain tells the presence of its users. */
export function seesPresence(granted: Privileges | undefined): boolean {
  return granted !== undefined && granted.presence !== 'none';
}

/**
 * Learns the privileges from now on; call it before the stream starts. Only what comes from one of `domains` itself counts:
 * everybody can send a message that looks like it.
 */
export function watchPrivileges(
  xmpp: Pick<Xmpp, 'onMessage' | 'onState'>,
  domains: readonly string[],
  log: Log,
): PrivilegeWatch {
  const trusted = new Set(domains.map((domain) => domain.toLowerCase()));
  const known = new Map<string, Privileges>();
  const listeners = new Set<(domain: string, privileges: Privileges | undefined) => void>();
  const tell = (domain: string, privileges: Privileges | undefined) => {
    for (const listener of listeners) listener(domain, privileges);
  };

  xmpp.onMessage(({ from, type, element }: Stanza) => {
    if (type === 'error' || from.local !== '' || from.resource !== '' || !trusted.has(from.domain)) return;
    const privileges = readPrivileges(element);
    if (privileges === undefined) return;
    const { roster, message, presence, iq } = privileges;
    log.info({ domain: from.domain, roster, message, presence, iq: [...iq.keys()] }, 'privileges granted');
    known.set(from.domain, privileges);
    tell(from.domain, privileges);
  });
  xmpp.onState(({ status }) => {
    if (status === 'online') return;
    const lost = [...known.keys()];
    known.clear();
    for (const domain of lost) tell(domain, undefined);
  });

  return {
    of: (domain) => known.get(domain),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Reads an advertisement; undefined where the message is none (one that carries a stanza, say). */
export function readPrivileges(message: XmlElement): Privileges | undefined {
  const found = elements(message).find(({ name, ns }) => name === 'privilege' && PRIVILEGE_NS.test(ns ?? ''));
  if (found?.ns === undefined || elements(found).some(({ name }) => name !== 'perm')) return undefined;
  // COMPAT: Prosody 0.12 nests the namespaces of an IQ permission in one another, so look at every depth.
  const within = [...descendants(found)];
  const type = (access: string) =>
    within.find(({ name, attrs }) => name === 'perm' && attrs.get('access') === access)?.attrs.get('type');
  return {
    ns: found.ns,
    roster: oneOf(['get', 'set', 'both'], type('roster')),
    message: oneOf(['outgoing'], type('message')),
    presence: oneOf(['managed_entity', 'roster'], type('presence')),
    iq: new Map(
      within.flatMap(({ name, attrs }) => {
        const allowed = oneOf(['get', 'set', 'both'], attrs.get('type'));
        const ns = attrs.get('ns');
        return name === 'namespace' && ns !== undefined && allowed !== 'none' ? [[ns, allowed]] : [];
      }),
    ),
  };
}

function* descendants(element: XmlElement): Iterable<XmlElement> {
  for (const each of elements(element)) {
    yield each;
    yield* descendants(each);
  }
}

function oneOf<const T extends string>(words: readonly T[], text: string | undefined): T | 'none' {
  return words.find((word) => word === text) ?? 'none';
}
