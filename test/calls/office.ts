/** The office that the recordings were made in: five users with a PJSIP telephone each, and a trunk that is nobody's. */

import type { Calls } from '../../src/calls/calls.ts';
import { deviceOfChannel } from '../../src/calls/devices.ts';
import { createCalls } from '../../src/calls/model.ts';

const names = new Map([
  ['340', 'Anna Müller'],
  ['370', 'Bernd Schmidt'],
  ['320', 'Carla Österreich'],
  ['330', 'Dora Forward'],
  ['310', 'Emil Extra'],
]);

/** A call model for the office. */
export function officeCalls(): Calls {
  return createCalls({
    deviceOf(channel) {
      const device = deviceOfChannel(channel);
      return device !== undefined && names.has(device.slice(device.indexOf('/') + 1)) ? device : undefined;
    },
    extension(number) {
      const name = names.get(number);
      return name === undefined ? undefined : { number, name };
    },
  });
}
