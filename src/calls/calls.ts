/** The call model as its users see it. Types only; `model.ts` implements it. */

import type { Bounded } from '../bounds.ts';
import type { PbxEvent } from '../pbx/events.ts';
import type { ChannelId, DeviceName } from '../pbx/pbx.ts';
import type { CallChange, ChannelView } from './changes.ts';
import type { Memory } from './memory.ts';

/** Tells which channels belong to users: the device behind a channel's name, or undefined (trunks, Local halves). */
export type DeviceLookup = (channelName: string) => DeviceName | undefined;

/** The state of the telephone system as a whole. */
export type SnapshotEvent = Extract<PbxEvent, { readonly type: 'snapshot' }>;

/** The telephone world: a state, and what each event changes in it. No I/O, no clock: time comes with the events. */
export interface Calls extends Partial<Bounded> {
  /** Takes one event in and returns what is to be told, often nothing (the same empty array then). */
  apply(event: PbxEvent): readonly CallChange[];
  /**
   * Takes a snapshot in as {@link apply} does, a slice of about a millisecond with each step, and gives out what each has to tell. No
   * other event may be taken in before the last step; what is asked in between may be answered half from before.
   */
  digest(event: SnapshotEvent): Iterable<readonly CallChange[]>;
  /**
   * Says what number the channel that bears or will bear this unique id calls: whoever originates it knows long before the
   * telephone system tells. Where the channel rings already, the change comes with the next event. At most 1000 that have
   * not come yet are kept; the oldest go first.
   */
  expect(uniqueId: string, number: string): void;
  /**
   * Says that the channel that will bear this unique id is rung to take the call that rings on `rung`: it is a called one, of the same
   * caller, from the first. Counts among those of {@link expect}.
   */
  takes(uniqueId: string, rung: ChannelId): void;
  /** Says that a channel waits in a space of a parking lot, and that this was told: what comes of it once more is no news. */
  parked(uniqueId: string, space: string): void;
  /** The present state of a user's channel, by its `eventId`. */
  channel(id: ChannelId): ChannelView | undefined;
  /** The channels of a device, oldest first. */
  channelsOf(device: DeviceName): readonly ChannelView[];
  /** Every user channel, oldest first. */
  channels(): readonly ChannelView[];
  /** Present name of a channel to be used towards the telephone system (names can change underneath an `eventId`). */
  currentName(id: ChannelId): ChannelId | undefined;
  /** Whether there are channels of devices that count now and did not when they were met: only a snapshot tells what they do. */
  overlooks(): boolean;
  /** Asterisk's state of a device; undefined while unknown. */
  deviceState(device: DeviceName): string | undefined;
  /** What the next bridge must know of a channel, by its `eventId`; undefined where there was nothing to be told of it. */
  remember(id: ChannelId): Memory | undefined;
  /**
   * Takes in what an earlier bridge told, before the first event: the snapshot then tells what differs. Where it comes later, the
   * ends of channels that are no more are returned.
   */
  restore(memories: readonly Memory[]): readonly CallChange[];
}
