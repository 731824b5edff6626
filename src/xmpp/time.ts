/** XEP-0202: Entity Time. */

import { StanzaError } from '../errors.ts';
import { xml } from '../protocol/xml.ts';
import { TIME_NS } from './namespaces.ts';
import { isComponent } from './own.ts';
import type { Xmpp } from './xmpp.ts';

/** Tells the component's time to who asks. `now` is the clock. Feature: {@link TIME_NS}. */
export function serveTime(xmpp: Xmpp, now: () => Date = () => new Date()): void {
  xmpp.onIq(
    TIME_NS,
    ({ to, type }) => {
      if (!isComponent(xmpp, to))
        throw new StanzaError('service-unavailable', 'nobody with a clock at this address');
      if (type !== 'get') throw new StanzaError('bad-request', "time: the IQ must be of type 'get'");
      const time = now();
      const children = [xml('tzo', {}, [offset(time)]), xml('utc', {}, [time.toISOString()])];
      return { result: xml('time', { xmlns: TIME_NS }, children) };
    },
    'time',
  );
}

/** The time zone definition of XEP-0082 §3.2: `+02:00`. */
function offset(time: Date): string {
  const east = -time.getTimezoneOffset();
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${east < 0 ? '-' : '+'}${two(Math.abs(east) / 60)}:${two(Math.abs(east) % 60)}`;
}
