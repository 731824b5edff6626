/** The recorded calls that are not over. No I/O. */

import type { ChannelView } from '../calls/changes.ts';
import type { RecordingHandle } from '../pbx/pbx.ts';
import type { Parties } from './parties.ts';
import type { CallRecord, Section } from './record.ts';
import type { Together } from './together.ts';

/** A section under way. */
export interface Current {
  section: Section;
  /** Undefined while it is being asked for. */
  handle: RecordingHandle | undefined;
  /** Its file is there, so that people may be told. */
  runs: boolean;
  /** Nobody was with the channel a moment ago: whether that is still so is looked at soon. */
  alone: boolean;
  /** It is being stopped because those in the call are others than before: what was asked for goes on in another one. */
  moving: boolean;
  /** Somebody stops it: nothing goes on. */
  stopped: boolean;
}

/** What goes on as soon as there is somebody to record again. */
export interface Waiting {
  readonly ruleId: string;
  readonly identity: string;
  readonly paused: boolean;
  /** The channel that was recorded: while it is there, its next conversation is meant; after that, the one of whoever was left. */
  readonly anchor: string;
}

/** A recorded call that is not over. */
export interface Live {
  record: CallRecord;
  current: Current | undefined;
  /** Undefined while something runs, and where nothing is to go on. */
  waits: Waiting | undefined;
  /** Channels of this call, each with the bridge in which it was with the recorded one. */
  readonly channels: Map<string, string | undefined>;
  /** The note of the record that is being written. */
  writing: Promise<unknown>;
  /** There is a sidecar of it. */
  noted: boolean;
  /** Its files were removed while it ran: nothing of it is written any more. */
  erased: boolean;
}

/** All of them. Bounded by whoever adds. */
export interface Lives {
  readonly all: ReadonlySet<Live>;
  add(live: Live): void;
  remove(live: Live): void;
  /** The recordings that a channel is or was part of: mostly none, two where calls were joined. */
  of(uniqueId: string): readonly Live[];
  /** The recording whose running section has this call in it. */
  on(view: ChannelView): Live | undefined;
  /** The recording that goes on when the user of this call talks to somebody again. */
  waitingFor(view: ChannelView): Live | undefined;
}

const none: readonly Live[] = Object.freeze([]);

/** Makes it, with nothing recorded. */
export function createLives(parties: Parties, together: Together): Lives {
  const all = new Set<Live>();

  function livesOf(uniqueId: string): readonly Live[] {
    if (all.size === 0) return none;
    return [...all].filter((live) => live.channels.has(uniqueId));
  }

  function hears({ section: { anchor } }: Current, view: ChannelView): boolean {
    if (view.uniqueId === anchor || together.with(anchor).includes(view.uniqueId)) return true;
    return parties.companyOf(anchor).some((each) => each.view.uniqueId === view.uniqueId);
  }

  return {
    all,
    add: (live) => void all.add(live),
    remove: (live) => void all.delete(live),
    of: livesOf,
    on(view) {
      const other = parties.otherOf(view);
      return [...livesOf(view.uniqueId), ...(other === undefined ? none : livesOf(other.uniqueId))].find(
        ({ current }) => current !== undefined && hears(current, view),
      );
    },
    waitingFor: (view) =>
      livesOf(view.uniqueId).find(
        ({ current, waits }) => current === undefined && waits?.anchor === view.uniqueId,
      ),
  };
}
