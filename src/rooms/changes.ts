/** What the model of conference rooms says: the only thing the rest of the bridge knows of what happens in them. */

import type { ChannelId } from '../pbx/pbx.ts';

/** Somebody came into a conference room, left it, fell silent in it or locked it. */
export interface ConferenceChange {
  readonly kind: 'conference';
  readonly type: 'join' | 'leave' | 'mute' | 'unmute' | 'lock' | 'unlock';
  readonly room: string;
  /** Of the channel below; empty where that is. */
  readonly uniqueId: string;
  /** Of the one who did it; empty where that is not known, or somebody outside. */
  readonly channel: ChannelId | '';
  readonly caller: { readonly number: string; readonly name: string };
  /** Channels that are in the room, and that of who leaves. */
  readonly present: readonly ChannelId[];
  /** Epoch milliseconds. */
  readonly at: number;
}
