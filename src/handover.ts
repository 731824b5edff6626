/** Calls in progress on devices that become another's: they end for one person and begin for the other. */

import type { Calls } from './calls/calls.ts';
import type { ChannelChange } from './calls/changes.ts';
import type { Directory } from './directory.ts';
import { MOVED, presentState } from './modules/channel-event.ts';

/** What is to be told with each of the two directories. */
export interface Handover {
  /** To whom the devices belonged. */
  readonly before: readonly ChannelChange[];
  /** To whom they belong now. */
  readonly after: readonly ChannelChange[];
}

/** What the change of a directory means for the calls there are. */
export function handOver(calls: Calls, now: Directory, before: Directory, at: number): Handover {
  const moved = calls.channels().flatMap((view) => {
    const [old, next] = [before.byDevice(view.device)?.user.jid, now.byDevice(view.device)?.user.jid];
    const state = presentState(view);
    // Of a call that nobody was told of the events will tell whoever has the device then.
    return old === next || state === undefined ? [] : [{ view, old, next, state }];
  });
  const change = { kind: 'channel', at } as const;
  return {
    before: moved
      .filter(({ old }) => old !== undefined)
      .map(({ view }) => ({ ...change, type: 'hangup', details: MOVED, view })),
    after: moved
      .filter(({ next }) => next !== undefined)
      .flatMap(({ view, state }): ChannelChange[] => {
        const now = { ...change, ...state, view };
        // What is held has been answered: each tale begins with ringing or busy.
        return state.type === 'hold'
          ? [{ ...change, type: 'busy', details: view.service, view }, now]
          : [now];
      }),
  };
}
