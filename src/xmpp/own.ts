/** Which addresses are the component itself, and not somebody it hosts. */

import type { Jid } from '../protocol/jid.ts';
import type { Xmpp } from './xmpp.ts';

/** The component's domain, with any resource or none. */
export function isComponent(xmpp: Pick<Xmpp, 'domain'>, { local, domain }: Jid): boolean {
  return local === '' && domain === xmpp.domain;
}
