/** Every story there is. */

import type { Story } from '../stage.ts';
import { calls } from './calls.ts';
import { pickups, queues } from './groups.ts';
import { forwarding, originated, outside } from './outside.ts';
import { parking, services } from './services.ts';
import { attendedTransfers, blindTransfers } from './transfers.ts';

export const everyStory: readonly ((story: Story) => void)[] = [
  calls,
  blindTransfers,
  attendedTransfers,
  pickups,
  queues,
  parking,
  services,
  outside,
  forwarding,
  originated,
];
