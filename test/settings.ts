/** The settings of bridges in tests, where it does not matter which. */

import type { BridgeLimits } from '../src/bridge.ts';
import type { ModelsOptions } from '../src/models.ts';
import type { Settings } from '../src/modules/define.ts';
import { createNumbers } from '../src/phonebook/numbers.ts';
import { createZone } from '../src/zone.ts';

/** As a small office has them; outside lines behind a 0. */
export const settings: Settings = {
  context: 'internal',
  outsidePrefix: '0',
  internationalPrefix: '00',
  mobileGateway: undefined,
  ringMs: 30_000,
  answerBytes: 400_000,
  archiveZone: createZone('Europe/Berlin'),
  showNumber: (number) => number,
};

/** A phonebook of the directory's users only, in Germany. */
export const phonebook: ModelsOptions['phonebook'] = {
  sources: [],
  numbers: createNumbers('DE', '0'),
  visibleTo: new Map(),
};

/** A journal of a hundred calls for a day. */
export const journal: ModelsOptions['journal'] = {
  keep: { count: 100, ageMs: 86_400_000 },
  outsidePrefix: settings.outsidePrefix,
};

/** Bounds that nothing in a small test reaches. */
export const limits: BridgeLimits = {
  sessions: 10,
  perUser: 10,
  subscriptions: 10,
  perSecond: 10,
  burst: 10,
  inFlight: 10,
  commandMs: 1000,
  graceMs: 1000,
  pingEveryMs: 60_000,
  pingsPerSecond: 10,
};
