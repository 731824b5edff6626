/** Who is online at the time of a connect: what servers tell of it, and what it is worth. */

import type { Log } from '../log.ts';
import type { Jid } from '../protocol/jid.ts';
import { child, textOf, xml } from '../protocol/xml.ts';
import { VERSION_NS } from '../xmpp/namespaces.ts';
import { type PrivilegeWatch, seesPresence } from '../xmpp/privilege.ts';
import type { Xmpp } from '../xmpp/xmpp.ts';
import type { Audience } from './audience.ts';

/** Lists the full JIDs of a domain that are connected; rejects with an Error. */
export type ListConnected = (domain: string) => Promise<readonly Jid[]>;

/** What {@link createHere} needs. */
export interface HereOptions {
  readonly xmpp: Pick<Xmpp, 'request'>;
  readonly privileges: PrivilegeWatch;
  readonly audience: Audience;
  readonly domains: readonly string[];
  /** Where the server can be asked for who is connected. */
  readonly connected: ListConnected | undefined;
  readonly monotonic: () => number;
  readonly log: Log;
}

const timeoutMs = 5000;

/**
 * Makes what finds out, right after a connect, who is online; where that cannot be known everybody counts as online.
 * Resolves with the domains of which everybody's presence has been told. Never rejects.
 */
export function createHere(options: HereOptions): (since: number) => Promise<ReadonlySet<string>> {
  const { xmpp, privileges, audience, domains, connected, monotonic, log } = options;

  /** The server's name. Asking also sees to it that everything it sent before has arrived. */
  async function software(domain: string): Promise<string> {
    try {
      const answer = await xmpp.request(domain, 'get', xml('query', { xmlns: VERSION_NS }), timeoutMs);
      const name = child(child(answer, 'query') ?? answer, 'name');
      return name === undefined ? '' : textOf(name);
    } catch {
      return ''; // A server that does not say is one of which nothing is known.
    }
  }

  async function learn(domain: string, since: number): Promise<boolean> {
    const name = await software(domain);
    // Prosody replays everybody's presence before it reads anything of ours (mod_privilege); ejabberd does not.
    if (name === 'Prosody' && seesPresence(privileges.of(domain))) {
      audience.settle(domain, since);
      return true;
    }
    if (connected === undefined) return false;
    try {
      const list = await connected(domain);
      const at = monotonic();
      for (const { bare, resource } of list) audience.arrived(bare, resource, at);
      audience.settle(domain, since);
    } catch (error) {
      log.warn({ domain, reason: String(error) }, 'nobody knows who is online: everybody counts as online');
    }
    return false;
  }

  return async (since) => {
    audience.doubtAll();
    const known = await Promise.all(domains.map((domain) => learn(domain, since)));
    return new Set(domains.filter((_, at) => known[at]));
  };
}
