/** XEP-0092: Software Version. */

import { StanzaError } from '../errors.ts';
import { xml } from '../protocol/xml.ts';
import { VERSION_NS } from './namespaces.ts';
import { isComponent } from './own.ts';
import type { Xmpp } from './xmpp.ts';

/** Tells name and version to who asks. The operating system stays our secret, as XEP-0092 §5 advises. Feature: {@link VERSION_NS}. */
export function serveVersion(
  xmpp: Xmpp,
  software: { readonly name: string; readonly version: string },
): void {
  const children = [xml('name', {}, [software.name]), xml('version', {}, [software.version])];
  const result = xml('query', { xmlns: VERSION_NS }, children);
  xmpp.onIq(
    VERSION_NS,
    ({ to, type }) => {
      if (!isComponent(xmpp, to)) throw new StanzaError('service-unavailable', 'no software at this address');
      if (type !== 'get') throw new StanzaError('bad-request', "version: the IQ must be of type 'get'");
      return { result };
    },
    'query',
  );
}
