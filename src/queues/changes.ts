/** What the queue model says: the only thing the rest of the bridge knows of what happens in queues. */

import type { ChannelId, QueueMember } from '../pbx/pbx.ts';

/** A call that waits, or waited, in a queue. A value: does not change later. */
export interface QueueCall {
  readonly channel: ChannelId;
  readonly uniqueId: string;
  /** As signaled; empty where unknown. */
  readonly number: string;
  readonly name: string;
  /** Epoch milliseconds at which it began to wait. */
  readonly since: number;
}

/**
 * Who the members of a queue are, for telling whom a change concerns. The same array as long as nobody comes or goes; whether they are
 * paused is not kept up to date in it.
 */
export type Roster = readonly QueueMember[];

/** A member came, went, or began or ended a break. Whether it is free or busy is no change. */
export interface QueueMemberChange {
  readonly kind: 'queue-member';
  readonly type: 'login' | 'logout' | 'pause' | 'unpause';
  readonly queue: string;
  /** The member as it is now; as it was where it went. */
  readonly member: QueueMember;
  readonly roster: Roster;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A call began to wait. */
export interface QueueJoinChange {
  readonly kind: 'queue-join';
  readonly queue: string;
  readonly call: QueueCall;
  /** From 1; those from there on are one further behind. */
  readonly position: number;
  readonly roster: Roster;
  readonly at: number;
}

/**
 * Why a call waits no longer: a member took it, the caller gave up, the telephone system gave up, it was sent elsewhere. `moved`: it
 * waits at another place of the same queue, which the next change says.
 */
export type LeaveReason = 'connected' | 'abandoned' | 'timeout' | 'transferred' | 'moved';

/** A call waits no longer. */
export interface QueueLeaveChange {
  readonly kind: 'queue-leave';
  readonly queue: string;
  readonly call: QueueCall;
  /** The place it had, from 1; those behind are one further to the front. */
  readonly position: number;
  readonly reason: LeaveReason;
  /** Who took it; undefined where nobody did, or it is not known who. */
  readonly member: QueueMember | undefined;
  readonly roster: Roster;
  readonly at: number;
}

/** A change in a queue, in the order in which it is to be told. */
export type QueueChange = QueueMemberChange | QueueJoinChange | QueueLeaveChange;
