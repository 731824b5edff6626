/** Recording of calls: what the rules and people ask for, followed through transfer and parking, told to everybody who is recorded. */

import type { ChannelView } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import type { Model } from '../models.ts';
import type { ChannelId, DeviceName } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { RecordingPermission } from '../rules/policy.ts';
import type { Page } from '../store/store.ts';
import type { Verdict } from './decide.ts';
import type { CallRecord } from './record.ts';
import type { Retention } from './retention.ts';
import type { Shelf } from './shelf.ts';

/** What one of our own people should know about the recording of their call. */
export interface RecordChange {
  readonly kind: 'record';
  readonly type: 'start' | 'stop';
  readonly device: DeviceName;
  /** eventId of their channel. */
  readonly channel: ChannelId;
  readonly permission: RecordingPermission;
  /** The rule that says so; empty where none does. */
  readonly ruleId: string;
  /** Name of the user who started what runs; empty where nothing runs or the rule started it. */
  readonly identity: string;
  /** What runs, empty where nothing does. */
  readonly recordId: string;
  readonly file: string;
  readonly state: 'recording' | 'paused' | 'held' | '';
  /** The calling and the called channel. */
  readonly head: string;
  readonly tail: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A recording that runs. */
export interface Running {
  readonly recordId: string;
  readonly ruleId: string;
  /** Empty where the rule started it. */
  readonly identity: string;
  readonly paused: boolean;
  /** Whether the user who started it is still in the call. */
  readonly starterIsThere: boolean;
}

/** The recordings. */
export interface Monitor extends Model {
  /** Recordings that run now. */
  readonly running: number;
  /** The record that one of these channels is in, if it is one of the newest; empty where there is none. */
  recordOf(channels: readonly ChannelId[]): string;
  /** What holds for the user whose channel this is. */
  verdictOf(view: ChannelView): Verdict;
  /** The rule by which somebody may have a call of their group recorded; undefined where there is none. */
  ruleForOthers(asking: User, view: ChannelView): string | undefined;
  /** What runs on this call. */
  runningOn(view: ChannelView): Running | undefined;
  /** Begins a section. Throws `Failure`: `already-exists`, `not-available`, `no-active-call`, and what the telephone system says. */
  record(view: ChannelView, ruleId: string, identity: string): Promise<void>;
  /** Ends the section that runs. Throws `Failure` `not-recording`. */
  finish(view: ChannelView): Promise<void>;
  /** Writes silence from now on, or the voices again. Throws `Failure` `not-recording`. */
  pause(view: ChannelView, paused: boolean): Promise<void>;
  /** What is kept of a recording that somebody asks for; undefined where there is none. */
  find(recordId: string, asking: BareJid): Promise<CallRecord | undefined>;
  /** The newest recordings in which somebody is heard: of each what `part` leaves of it, as many as are wanted where there are. */
  listOf(
    owner: BareJid,
    page: Page,
    part: (record: CallRecord) => CallRecord | undefined,
  ): Promise<readonly CallRecord[]>;
  /** Where the sound is; undefined where nothing is kept. */
  readonly shelf: Shelf | undefined;
}

/** How recordings are kept. */
export interface Keeping extends Retention {
  readonly shelf: Shelf;
  /** The same directory as the telephone system sees it. */
  readonly pbxDir: string;
}
