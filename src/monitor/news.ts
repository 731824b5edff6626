/** What is told of recordings: to each of our own people in the call, whenever it is something else than before. */

import type { ChannelView } from '../calls/changes.ts';
import type { Current, Live, Lives } from './live.ts';
import type { RecordChange } from './monitor.ts';
import type { Parties } from './parties.ts';

/** What was told, and what is new. */
export interface News {
  /** Who hears what {@link News.tellAll} finds. */
  onChange(tell: (changes: readonly RecordChange[]) => void): void;
  /** What is to be told of a channel, if that is something else than what was told before. */
  of(view: ChannelView, ended?: boolean): readonly RecordChange[];
  /** Tells everybody in this recording what is new for them. */
  tellAll(live: Live): void;
  /** Forgets the channels that are not there any more; `present` has unique ids. */
  keepOnly(present: ReadonlyMap<string, string>): void;
}

const nothing: readonly RecordChange[] = Object.freeze([]);

/** Makes it, with nothing told. */
export function createNews(parties: Parties, lives: Lives, now: () => number): News {
  /** What was told of each channel last. */
  const told = new Map<string, string>();
  let tell: (changes: readonly RecordChange[]) => void = () => {};

  function news(view: ChannelView, ended = false): readonly RecordChange[] {
    const change = describe(view, ended);
    const { at: _at, ...said } = change;
    const text = JSON.stringify(said);
    const before = told.get(view.uniqueId);
    if (ended) told.delete(view.uniqueId);
    else told.set(view.uniqueId, text);
    // The end of a call that was not recorded is told by the call itself.
    if (ended ? before === undefined || !before.includes('"type":"start"') : before === text) return nothing;
    return [change];
  }

  function describe(view: ChannelView, ended: boolean): RecordChange {
    const live = ended ? undefined : lives.on(view);
    const current = live?.current?.runs === true && isHeard(live.current, view) ? live.current : undefined;
    const { permission, ruleId } = parties.verdictOf(view);
    const [head, tail] = view.outbound ? [view.channel, view.refChannel] : [view.refChannel, view.channel];
    return {
      kind: 'record',
      type: current === undefined ? 'stop' : 'start',
      device: view.device,
      channel: view.channel,
      permission,
      ruleId: current?.section.ruleId ?? ruleId,
      identity: current?.section.identity ?? '',
      recordId: current === undefined ? '' : (live?.record.id ?? ''),
      file: current?.section.file ?? '',
      state: current === undefined ? '' : stateOf(current, view),
      head,
      tail,
      at: now(),
    };
  }

  /** Whoever comes into a call is heard in the next section only. */
  function isHeard({ section }: Current, view: ChannelView): boolean {
    const own = parties.participantsOf(view).find((each) => each.view.uniqueId === view.uniqueId);
    return own !== undefined && section.heard.includes(own.user.jid);
  }

  return {
    onChange(listener) {
      tell = listener;
    },
    of: news,
    tellAll(live) {
      const changes = [...live.channels.keys()].flatMap((uniqueId) => {
        const view = parties.viewOf(uniqueId);
        return view?.state === 'busy' ? news(view) : [];
      });
      if (changes.length > 0) tell(changes);
    },
    keepOnly(present) {
      for (const uniqueId of told.keys()) if (!present.has(uniqueId)) told.delete(uniqueId);
    },
  };
}

function stateOf(current: Current, view: ChannelView): RecordChange['state'] {
  if (current.section.paused) return 'paused';
  return view.held || view.remoteHeld ? 'held' : 'recording';
}
