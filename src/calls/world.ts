/** The telephone world: every channel, bridge and group that is there, and nothing that is gone. */

import { type CountedBound, createBound } from '../bounds.ts';
import type { ChannelId, DeviceName } from '../pbx/pbx.ts';
import type { DeviceLookup } from './calls.ts';
import type { CallChange, Party } from './changes.ts';
import type { Call, Group, Leg, Room } from './leg.ts';
import type { Memory } from './memory.ts';
import { createRecent } from './recent.ts';

/** What the model asks of its surroundings. Pure look-ups: asked in the middle of an event. */
export interface Lookups {
  readonly deviceOf: DeviceLookup;
  /** Who has this internal number; undefined where it is no extension of a user. */
  readonly extension: (number: string) => Party | undefined;
  /** Token of the service behind a dialled number, for feeds that do not tell applications; empty where unknown. */
  readonly serviceAt: (number: string) => string;
}

/** What is known of an originated leg before it exists. */
export interface Expected {
  /** Number that it calls; empty where it takes a call. */
  readonly number: string;
  /** The call that it takes, as it was when that was said; undefined where it calls. */
  readonly taken: Pick<Call, 'other' | 'otherDevice' | 'refChannel' | 'queue'> | undefined;
}

/** The state of the model. */
export interface World extends Lookups {
  readonly legs: Map<string, Leg>;
  /** How many legs are followed: of further channels nothing is known. */
  readonly room: CountedBound;
  readonly rooms: Map<string, Room>;
  readonly groups: Map<string, Group>;
  /** Halves of Local channels by name. */
  readonly halves: Map<string, Leg>;
  /** Users' channels by `eventId`. */
  readonly calls: Map<ChannelId, Leg>;
  readonly byDevice: Map<DeviceName, Set<Leg>>;
  readonly deviceStates: Map<DeviceName, string>;
  /** Calls that others may pick up: told of with the first channel, and how many ring for each, several where a user has several devices. */
  readonly offers: Map<string, { readonly channel: ChannelId; ringing: number }>;
  /** By unique id. */
  readonly expected: Map<string, Expected>;
  /** Channels of an earlier bridge that are held or hold, and the channel at the other side: until the next snapshot. */
  readonly recalled: Map<Leg, ChannelId | ''>;
  /** Channels that have ended for their users and that Asterisk still lists, by unique id. */
  readonly lingering: Map<string, Memory>;
  /** Unique ids of channels that ended: late and repeated events must not bring one back. */
  readonly ended: { add(id: string): void; has(id: string): boolean };
  /** Time of the event being taken in. */
  at: number;
  /** What the event being taken in has told so far. */
  out: CallChange[];
}

const remembered = 4096;
/** As many as a list of Asterisk may have. */
const maxLegs = 200_000;

/** An empty world. `most`: channels that are followed. */
export function createWorld(lookups: Lookups, most = maxLegs): World {
  const legs = new Map<string, Leg>();
  return {
    ...lookups,
    legs,
    room: createBound('channels', most, () => legs.size),
    rooms: new Map(),
    groups: new Map(),
    halves: new Map(),
    calls: new Map(),
    byDevice: new Map(),
    deviceStates: new Map(),
    offers: new Map(),
    expected: new Map(),
    recalled: new Map(),
    lingering: new Map(),
    ended: createRecent(remembered),
    at: 0,
    out: [],
  };
}
