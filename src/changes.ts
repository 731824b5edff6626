/** Everything that can be told, by `kind`: the union of what the models say. Types only. */

import type { CallChange } from './calls/changes.ts';
import type { DeflectionChange } from './deflections.ts';
import type { JournalChange } from './journal/entry.ts';
import type { MailboxChange } from './mailboxes.ts';
import type { RecordChange } from './monitor/monitor.ts';
import type { SeatChange } from './places/places.ts';
import type { QueueChange } from './queues/changes.ts';
import type { ConferenceChange } from './rooms/changes.ts';

/** A change of the telephone world, from whichever model. Each model declares its own and adds it here. */
export type Change =
  | CallChange
  | ConferenceChange
  | DeflectionChange
  | JournalChange
  | MailboxChange
  | QueueChange
  | RecordChange
  | SeatChange;

/** The changes of one kind. */
export type ChangeOf<K extends Change['kind']> = Extract<Change, { readonly kind: K }>;

/** Takes changes that no event brought: they come of an answer, a clock or a file. */
export type Tell = (changes: readonly Change[]) => void;
