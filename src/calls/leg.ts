/** A channel as the model keeps it, whosever it is. Mutable; lives from its first event to its hangup. */

import type { ChannelState } from '../pbx/events.ts';
import type { ChannelId, DeviceName } from '../pbx/pbx.ts';
import type { Party } from './changes.ts';

/** One channel. Everything here is what Asterisk last said; what users were told is in {@link Call}. */
export interface Leg {
  readonly uniqueId: string;
  name: ChannelId;
  state: ChannelState;
  caller: Party;
  /** Whom Asterisk shows on this line. The same object for as long as it stays the same. */
  connected: Party;
  exten: string;
  /** What the channel belongs to by its Linkedid. */
  group: Group;
  /** The bridge it is in. */
  room: Room | undefined;
  /** Half of a Local channel: nobody's telephone. */
  readonly local: boolean;
  /** The other half of a Local channel. */
  half: Leg | undefined;
  /** Channels that a Dial or Queue on this one has rung and that are still there. */
  readonly dials: Set<Leg>;
  /** The channel whose Dial or Queue rings this one; undefined for callers and for what nobody dialled. */
  dialedBy: Leg | undefined;
  /** DIALSTATUS for this called channel; empty while it is being rung. */
  dialStatus: string;
  /** Extension of the caller when it began to ring this one: a caller sent elsewhere has another by then. */
  dialExten: string;
  /** How this caller's last finished Dial ended; empty before the first, and again with each new one. */
  dialResult: string;
  /** The far end is known to ring: DialState said so. */
  alerting: boolean;
  /** Token of the service that runs on the channel; empty while none does. */
  service: string;
  /** Pressed hold. */
  held: boolean;
  /** Whom it put on hold: hold is between two channels, and a consulting call has others on the same channel. */
  holds: Leg | undefined;
  /** Parking space it waits in; empty while in none. */
  parked: string;
  /** Its own side asked for the end; the cause it gave, 0 where none. */
  requested: number | undefined;
  /** Somebody else took the call that rang here. */
  lost: boolean;
  /** The call that rang here was sent to somebody else. */
  forwarded: boolean;
  /** What its user knows of it; undefined where it is nobody's of ours. */
  call: Call | undefined;
}

/** A mixing bridge with somebody in it. */
export interface Room {
  readonly id: string;
  type: string;
  readonly members: Set<Leg>;
}

/** Channels with one Linkedid. What a new leg of a call inherits before anything else tells where it comes from. */
export interface Group {
  readonly id: string;
  size: number;
  /** The channel that the group is named after: the one that called first. */
  root: Leg | undefined;
  /** Who sent the call on; a leg that begins to ring now rings because of them. */
  from: Party | undefined;
  /** The queue that its caller waits in. */
  queue: string;
  /** First half of an originated Local channel: until it is up, who rings is the one who calls. */
  origin: Leg | undefined;
}

/** A user's channel: what was told, and what must be remembered to tell the rest. */
export interface Call {
  /** `eventId`. */
  readonly channel: ChannelId;
  readonly device: DeviceName;
  readonly since: number;
  outbound: boolean;
  /** The telephone system rings the calling device first (Originate). */
  origin: boolean;
  /** Number the user dialled. */
  dialed: string;
  /** Connected line that is not the other party: the caller ID that Originate gave the leg, or that of an earlier talk. */
  stale: Party | undefined;
  /** `new` until the first thing is told. */
  phase: 'new' | 'ringing' | 'busy';
  /** An application was seen on it: the feed has Newexten, so the one that answers will be named. */
  scripted: boolean;
  /** A spy: never told. */
  hidden: boolean;
  other: Party;
  /** The leg behind `other`. */
  ref: Leg | undefined;
  /** Whom it talked to last, and the connected line of that talk: tells a line that was not brought up to date. */
  talked: Leg | undefined;
  talkedAs: Party;
  /** Talks right now. */
  talks: boolean;
  refChannel: ChannelId | '';
  otherDevice: DeviceName | '';
  busySince: number;
  /** For a channel that was up when first seen: no later than when it was answered. Else 0. */
  upSince: number;
  held: boolean;
  remoteHeld: boolean;
  /** Why a consultation on this channel came to nothing: told with the way back. Empty where there was none. */
  declined: string;
  service: string;
  queue: string;
  from: Party;
  /** The transfer that was told, so that it is told once. */
  transfer: string;
  redirected: boolean;
  /** Key under which others were told that this can be picked up; empty when not. */
  pickup: string;
}

/** Nobody known. */
export const nobody: Party = Object.freeze({ number: '', name: '' });

/** The same party, to be compared by content. */
export function sameParty(a: Party, b: Party): boolean {
  return a.number === b.number && a.name === b.name;
}

/** Makes a party; {@link nobody} where both are empty. */
export function party(number: string, name: string): Party {
  return number === '' && name === '' ? nobody : { number, name };
}
