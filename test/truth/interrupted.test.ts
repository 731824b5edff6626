import { onStage } from './stage.ts';
import { pickups, queues } from './stories/groups.ts';
import { forwarding } from './stories/outside.ts';
import { parking } from './stories/services.ts';
import { attendedTransfers, blindTransfers } from './stories/transfers.ts';

onStage(
  { version: '22', interrupted: true },
  blindTransfers,
  attendedTransfers,
  pickups,
  queues,
  parking,
  forwarding,
);
