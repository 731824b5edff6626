/** The queue model as its users see it. Types only; `model.ts` implements it. */

import type { Bounded } from '../bounds.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { QueueMember } from '../pbx/pbx.ts';
import type { QueueCall, QueueChange, Roster } from './changes.ts';

/** A queue as it is now; to be looked at and not to be kept. */
export interface QueueView {
  /** As Asterisk writes it. */
  readonly name: string;
  readonly members: readonly QueueMember[];
  readonly roster: Roster;
  /** In the order in which they are to be served. */
  readonly calls: readonly QueueCall[];
}

/** A call that waits, and a member, as they were told; not `sure`: that may not have arrived. */
export interface ToldCall {
  readonly queue: string;
  readonly call: QueueCall;
  readonly sure: boolean;
}
export interface ToldMember {
  readonly member: QueueMember;
  readonly sure: boolean;
}

/** What an earlier bridge has told of queues, the calls of each in their order. */
export interface Remembered {
  readonly members: readonly ToldMember[];
  readonly calls: readonly ToldCall[];
}

/** All queues: a state, and what each event changes in it. No I/O, no clock: time comes with the events. */
export interface Queues extends Bounded {
  /** Takes one event in and returns what is to be told, often nothing (the same empty array then). */
  apply(event: PbxEvent): readonly QueueChange[];
  /** Takes in what an earlier bridge has told, as far as nothing is known of it: the next `queues` tells what differs, and once more what may not have arrived. Says whether there was such. */
  restore(told: Remembered): boolean;
  /** By name, in whatever case: app_queue does not tell them apart. */
  queue(name: string): QueueView | undefined;
  queues(): readonly QueueView[];
  /**
   * An event did not fit what is known, so that something must have happened that no event told of (a reload, a changed priority). True once, until
   * the next such event: whoever asks sees to it that the whole state is told.
   */
  takeDoubt(): boolean;
}
