/** The call model of a directory: whose channels count, and who is called what. */

import type { Calls } from '../calls/calls.ts';
import { createCalls } from '../calls/model.ts';
import type { Directory } from '../directory.ts';

/** Makes a call model that asks the directory which is current at the moment of each event. */
export function callsOf(directory: () => Directory): Calls {
  return createCalls({
    deviceOf: (channel) => directory().deviceOfChannel(channel),
    extension(number) {
      const user = directory().byExtension(number);
      return user && { number, name: user.fullName };
    },
  });
}
