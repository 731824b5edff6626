/** What the call model says: the only thing the rest of the bridge knows of calls. */

import type { ChannelId, DeviceName } from '../pbx/pbx.ts';

/** `ChannelEvent/eventType`. */
export type ChannelEventType =
  | 'ringing'
  | 'busy'
  | 'hold'
  | 'unhold'
  | 'transfer'
  | 'rename'
  | 'redirect'
  | 'hangup';

/** A number and a name as signalled; empty where unknown. */
export interface Party {
  readonly number: string;
  readonly name: string;
}

/** A user's channel as its user should see it. Local halves, spy and announcement channels never become one. */
export interface ChannelView {
  /** `eventId`: the first name the channel had, stable for its life. */
  readonly channel: ChannelId;
  readonly uniqueId: string;
  /** What all channels of one call share (Asterisk's Linkedid). Calls that are joined become one: take it when the channel is first seen. */
  readonly call: string;
  readonly device: DeviceName;
  /** The user called. */
  readonly outbound: boolean;
  /** The user's own side as signalled. */
  readonly own: Party;
  /** The other party. Its number is the dialled one until more is known. */
  readonly other: Party;
  /** The number that the user dialled, whatever became of the call; empty where unknown, and for calls that came in. */
  readonly dialed: string;
  /** Device of the other party where its channel is known: says whether it is one of ours. */
  readonly otherDevice: DeviceName | '';
  /** `new`: there, and can be hung up, but nothing was told yet: the user dials, or the telephone has not begun to ring. */
  readonly state: 'new' | 'ringing' | 'busy' | 'ended';
  /** This side put the other on hold. */
  readonly held: boolean;
  /** The other side put this one on hold. */
  readonly remoteHeld: boolean;
  /** Epoch milliseconds of the answer; 0 before. Set once. */
  readonly busySince: number;
  /** The leg on the other side; empty where there is none (yet). */
  readonly refChannel: ChannelId | '';
  /** Token of the service that answered: `mailbox`, `queue`, `conference`, `echo`, …; empty for a person. */
  readonly service: string;
  /** Name of the queue the call came through or waits in; empty where none. */
  readonly queue: string;
  /** Who forwarded the call to this user; empty where nobody did. */
  readonly from: Party;
  /** Epoch milliseconds at which the channel began. */
  readonly since: number;
  /** Rung to take the call that still rings elsewhere: `refChannel` is not its own to be acted on yet. */
  readonly takes: boolean;
}

/** Whose part in a transfer somebody has: who makes it, who is passed on, who gets the call. */
export type TransferRole = 'transferer' | 'transferee' | 'target';

/** One thing that a user's client should hear about a channel. */
export interface ChannelChange {
  readonly kind: 'channel';
  readonly type: ChannelEventType;
  /** `eventDetails`; empty where there is nothing to say. */
  readonly details: string;
  /** Of a `transfer`: the part that this channel has in it. */
  readonly role?: TransferRole;
  /** The channel after the change. A value: does not change later. */
  readonly view: ChannelView;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A telephone that others may pick up began or ceased to ring. */
export interface PickupChange {
  readonly kind: 'pickup';
  readonly type: 'ringing' | 'gone';
  /** The rung device. */
  readonly device: DeviceName;
  readonly channel: ChannelId;
  readonly source: Party;
  /** Device of the one who calls, where that is one of ours: proves the number. */
  readonly sourceDevice: DeviceName | '';
  readonly at: number;
}

/** State of a device, for presence and for refusals before a telephone rings. */
export interface DeviceChange {
  readonly kind: 'device';
  readonly device: DeviceName;
  /** Asterisk's device state, e.g. `NOT_INUSE`, `UNAVAILABLE`. */
  readonly state: string;
  readonly at: number;
}

/** A call was parked, or is no longer. */
export interface ParkChange {
  readonly kind: 'park';
  /** Of the parked channel. */
  readonly uniqueId: string;
  readonly type: 'parked' | 'retrieved' | 'timeout' | 'abandoned';
  readonly lot: string;
  /** Extension that gets the call back, e.g. `701`. */
  readonly space: string;
  /** The parked channel and whom it belongs to: of ours or not. */
  readonly channel: ChannelId;
  readonly caller: Party;
  /** Device that parked, e.g. `PJSIP/370`; empty where unknown. */
  readonly parker: string;
  /** Device that took the call back; empty unless `retrieved` by one of ours. */
  readonly retriever: DeviceName | '';
  /** Seconds until the call goes back to the parker; 0 where it does not. */
  readonly timeout: number;
  readonly at: number;
}

/** A change of the telephone world, in the order in which it is to be told. */
export type CallChange = ChannelChange | PickupChange | DeviceChange | ParkChange;
