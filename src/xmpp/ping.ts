/** XEP-0199: XMPP Ping. */

import { StanzaError } from '../errors.ts';
import { PING_NS } from './namespaces.ts';
import { isComponent } from './own.ts';
import type { Xmpp } from './xmpp.ts';

/** Answers pings to the component itself. Feature: {@link PING_NS}. */
export function servePing(xmpp: Xmpp): void {
  xmpp.onIq(
    PING_NS,
    ({ to, type }) => {
      if (!isComponent(xmpp, to))
        throw new StanzaError('service-unavailable', 'nobody to ping at this address');
      if (type !== 'get') throw new StanzaError('bad-request', "ping: the IQ must be of type 'get'");
      return { result: undefined };
    },
    'ping',
  );
}
