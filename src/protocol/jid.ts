/** JIDs (RFC 7622), as far as a component needs them: the server has validated what it stamps. */

declare const brand: unique symbol;

/** `local@domain` or `domain`: who somebody is. Never carries a resource. */
export type BareJid = string & { readonly [brand]: 'BareJid' };

/** `local@domain/resource`: one session of somebody. */
export type FullJid = string & { readonly [brand]: 'FullJid' };

/** The parts of a JID; `local` and `resource` are empty where the JID has none. */
export interface Jid {
  readonly local: string;
  readonly domain: string;
  readonly resource: string;
  readonly bare: BareJid;
}

// RFC 7622 §3.3.1 excludes these from a localpart; blanks and controls go with PRECIS.
const badLocal = /[\u0000-\u0020"&'/:<>@\u007F]/u;
const badDomain = /[\u0000-\u0020"&'<>@/\u007F]/u;

/**
 * Takes a JID apart; undefined where it is none. Local part and domain are folded to lower case (RFC 7622 §3.2, §3.3),
 * the resource is kept as it is. Each part is at most 1023 bytes.
 */
export function parseJid(text: string): Jid | undefined {
  const slash = text.indexOf('/');
  const head = slash < 0 ? text : text.slice(0, slash);
  const resource = slash < 0 ? '' : text.slice(slash + 1);
  const at = head.indexOf('@');
  const local = at < 0 ? '' : head.slice(0, at).normalize('NFC').toLowerCase();
  const domain = head
    .slice(at + 1)
    .normalize('NFC')
    .toLowerCase();
  if (domain === '' || badDomain.test(domain) || badLocal.test(local)) return undefined;
  if (at === 0 || (slash >= 0 && resource === '')) return undefined;
  if ([local, domain, resource].some((part) => Buffer.byteLength(part) > 1023)) return undefined;
  return { local, domain, resource, bare: (local === '' ? domain : `${local}@${domain}`) as BareJid };
}

/** The full JID of a parsed one, or undefined where it has no resource. */
export function fullJid(jid: Pick<Jid, 'bare' | 'resource'>): FullJid | undefined {
  return jid.resource === '' ? undefined : (`${jid.bare}/${jid.resource}` as FullJid);
}

/** The bare JID in front of a full one. */
export function bareOf(jid: FullJid): BareJid {
  return jid.slice(0, jid.indexOf('/')) as BareJid;
}
