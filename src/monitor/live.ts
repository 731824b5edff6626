/** The recorded calls that are not over. No I/O. */

import type { ChannelView } from '../calls/changes.ts';
import type { RecordingHandle } from '../pbx/pbx.ts';
import type { Parties } from './parties.ts';
import type { CallRecord, Section } from './record.ts';
import type { Together } from './together.ts';

/** A section under way. */
export interface Current {
  section: Section;
  /** Undefined while it begins. */
  handle: RecordingHandle | undefined;
}

/** A recorded call that is not over. */
export interface Live {
  record: CallRecord;
  current: Current | undefined;
  /** What goes on when the recorded channel has left and the others talk on; undefined where nothing does. */
  follows: { readonly ruleId: string; readonly identity: string; readonly paused: boolean } | undefined;
  /** Channels of this call, each with the bridge in which it was with the recorded one. */
  readonly channels: Map<string, string | undefined>;
  /** The note of the record that is being written. */
  writing: Promise<void>;
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
    return parties.otherOf(view)?.uniqueId === anchor;
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
  };
}
