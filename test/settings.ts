/** The settings of bridges in tests, where it does not matter which. */

import type { Settings } from '../src/modules/define.ts';

/** As a small office has them; outside lines behind a 0. */
export const settings: Settings = {
  context: 'internal',
  outsidePrefix: '0',
  internationalPrefix: '00',
  ringMs: 30_000,
  showNumber: (number) => number,
};
