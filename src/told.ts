/**
 * What clients were told of calls outlives the bridge: the next one tells the ends that this one does not live to see, and nothing twice.
 * On the hot road a change costs an entry of a map; a timer reads what is to be kept from the call model and hands it to the store.
 */

import type { Calls } from './calls/calls.ts';
import type { CallChange, ChannelChange, ChannelEventType, ChannelView } from './calls/changes.ts';
import type { Memory } from './calls/memory.ts';
import { decodeMemory, encodeMemory } from './calls/memory-text.ts';
import type { Change } from './changes.ts';
import type { Log } from './log.ts';
import { channelKey } from './modules/channel-event.ts';
import { offerKey } from './modules/pickup-event.ts';
import type { ChannelId } from './pbx/pbx.ts';
import type { Store } from './store/store.ts';
import { createUnconfirmed } from './unconfirmed.ts';

/** Channels of users that are remembered at a time. */
export const maxTold = 100_000;

/** What {@link createTold} needs. */
export interface ToldOptions {
  readonly store: Pick<Store, 'loadCalls' | 'saveCall' | 'deleteCall'>;
  readonly calls: Pick<Calls, 'remember' | 'channel'>;
  /** Whether channels count that nobody was told of, too: somebody wants to know of their ends. */
  readonly unheard: boolean;
  /** Whether nothing waits to be told. */
  caughtUp(): boolean;
  readonly log: Log;
  /** Most channels to be remembered; the ends of further ones are not told by another bridge. Default: {@link maxTold}. */
  readonly max?: number;
  /**
   * How long changes are gathered before they go to the store, milliseconds. What is told within this time of a crash is not known to the next
   * bridge. Default: 20.
   */
  readonly gatherMs?: number;
}

/** The channels that somebody was told of, and those whose end somebody will want to know. */
export interface Told {
  /** How many there are. */
  readonly size: number;
  /** Those whose news the store was not handed yet. */
  readonly waiting: number;
  /** Notes that a change went out; `heard`: somebody wanted it. */
  note(change: Change, heard: boolean): void;
  /** The server is asked what has arrived: returns what to call when it has everything that was noted until now. */
  ask(): () => void;
  /**
   * What the bridge before this one has told, for the call model to take in. `isLate`: events were told already, to those who were
   * known by then. Rejects as the store does. Called again, it brings a store up to date that was away, and has nothing new to say.
   */
  load(isLate: boolean): Promise<readonly Memory[]>;
  /**
   * To be called after a snapshot was taken in, with what that said: what may not have arrived before the bridge was ended is to be told
   * again, where it was not told just now.
   */
  again(said: readonly CallChange[], at: number): readonly ChannelChange[];
  /** Hands what is gathered to the store at once. */
  flush(): void;
  /** Flushes, and gathers no more. */
  stop(): void;
}

interface Entry {
  /** Somebody was told of it. */
  heard: boolean;
  /** All that was told of it has arrived. */
  sure: boolean;
  ended: boolean;
  /** The store was handed it. */
  stored: boolean;
}

/** Makes it, with nothing in it. */
export function createTold(options: ToldOptions): Told {
  const { store, calls, unheard, caughtUp, log, max = maxTold, gatherMs = 20 } = options;
  const entries = new Map<ChannelId, Entry>();
  /** Whose entry is to be written. */
  const changed = new Set<ChannelId>();
  const unsure = createUnconfirmed<ChannelId>();
  /** Ended for their users; kept for as long as the telephone system lists them. */
  const lingering = new Set<ChannelId>();
  /** Restored, and perhaps not heard before. */
  const doubtful = new Set<ChannelId>();
  let loaded = false;
  let full = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  function touch(id: ChannelId): void {
    changed.add(id);
    if (timer === undefined && !stopped) timer = setTimeout(flush, gatherMs);
  }

  function forget(id: ChannelId, entry: Entry): void {
    entries.delete(id);
    unsure.delete(id);
    lingering.delete(id);
    if (entry.stored) store.deleteCall(id);
  }

  /** Whether the telephone system lists a channel that has ended for its user. */
  const isListed = (id: ChannelId) => calls.remember(id)?.view.state === 'ended';

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const isCaughtUp = caughtUp();
    for (const id of changed) {
      const entry = entries.get(id);
      if (entry !== undefined) keep(id, entry, isCaughtUp);
    }
    changed.clear();
    for (const id of lingering) {
      const entry = entries.get(id);
      if (entry?.ended !== true) lingering.delete(id);
      else if (isCaughtUp && !isListed(id)) forget(id, entry);
    }
  }

  function keep(id: ChannelId, entry: Entry, isCaughtUp: boolean): void {
    const memory = calls.remember(id);
    // Its end was told, and another call has its name by now.
    if (entry.ended && memory?.view.state !== 'ended') return;
    if (memory === undefined) {
      // Its end waits; where it does not, the channel is no user's any more.
      if (isCaughtUp) forget(id, entry);
      return;
    }
    // What waits may be about this one, whose present state is not what was told then.
    const sure = entry.sure && isCaughtUp;
    if (entry.sure && !sure) unsure.add(id);
    store.saveCall(id, encodeMemory({ memory, sure }), !entry.stored);
    entry.stored = true;
  }

  function take(id: ChannelId): Entry | undefined {
    if (entries.size >= max) {
      if (!full) log.warn({ max }, 'more calls than are remembered for a restart');
      full = true;
      return undefined;
    }
    const entry = { heard: false, sure: false, ended: false, stored: false };
    entries.set(id, entry);
    return entry;
  }

  /** All that was told of these has arrived. */
  function settle(ids: readonly ChannelId[]): void {
    const isCaughtUp = caughtUp();
    for (const id of ids) {
      const entry = entries.get(id);
      if (entry === undefined) continue;
      if (entry.ended && !isListed(id)) forget(id, entry);
      // What waits may be about this one.
      else if (!isCaughtUp) unsure.add(id);
      else {
        if (entry.ended) lingering.add(id);
        entry.sure = true;
        touch(id);
      }
    }
  }

  /** What a store that came back holds too much, or not at all. */
  function reconcile(texts: ReadonlyMap<string, string>): void {
    for (const id of texts.keys()) if (!entries.has(id as ChannelId)) store.deleteCall(id);
    for (const id of entries.keys()) touch(id);
  }

  return {
    get size() {
      return entries.size;
    },
    get waiting() {
      return changed.size;
    },
    note(change, heard) {
      const id = channelOf(change);
      if (id === undefined) return;
      const ended = change.kind === 'channel' && change.type === 'hangup';
      const entry = entries.get(id) ?? ((heard || unheard) && !ended ? take(id) : undefined);
      if (entry === undefined) return;
      if (!heard && !entry.heard) {
        // Nobody's news: there is nothing that could be lost.
        entry.sure = true;
        entry.ended = ended;
        if (ended) lingering.add(id);
        touch(id);
        return;
      }
      entry.heard = true;
      entry.sure = false;
      entry.ended = ended;
      unsure.add(id);
      touch(id);
    },
    ask() {
      const arrived = unsure.ask();
      return () => {
        settle(arrived());
        if (entries.size < max) full = false;
      };
    },
    async load(isLate) {
      const texts = await store.loadCalls();
      if (loaded) {
        reconcile(texts);
        return [];
      }
      loaded = true;
      const memories: Memory[] = [];
      for (const [name, text] of texts) {
        const kept = decodeMemory(text);
        const id = name as ChannelId;
        if (kept === undefined || kept.memory.view.channel !== id) {
          store.deleteCall(name);
          continue;
        }
        // Told of by this bridge in the meantime.
        if (entries.has(id)) continue;
        const entry = take(id);
        if (entry === undefined) break;
        const ended = kept.memory.view.state === 'ended';
        Object.assign(entry, { stored: true, sure: kept.sure, ended });
        if (ended) lingering.add(id);
        else if (isLate || !kept.sure) doubtful.add(id);
        memories.push(kept.memory);
      }
      return memories;
    },
    again(said, at) {
      const told = new Set(
        said.flatMap((change) => (change.kind === 'channel' ? [change.view.channel] : [])),
      );
      const changes: ChannelChange[] = [];
      for (const id of doubtful) {
        const view = told.has(id) ? undefined : calls.channel(id);
        if (view !== undefined) changes.push(...retold(view, at));
      }
      doubtful.clear();
      // Whoever is nobody's any more shows by not being there.
      for (const id of entries.keys()) if (calls.remember(id) === undefined) touch(id);
      return changes;
    },
    flush,
    stop() {
      stopped = true;
      flush();
    },
  };
}

/** What was told of the channel, as {@link About.key}: each owes an end. */
export function keysOf({ view, offer }: Memory): string[] {
  const keys = view.state === 'ended' ? [] : [channelKey(view)];
  return offer === '' ? keys : [...keys, offerKey(offer)];
}

function channelOf(change: Change): ChannelId | undefined {
  if (change.kind === 'channel') return change.view.channel;
  return change.kind === 'pickup' ? change.channel : undefined;
}

/** The events that say how a channel is now. */
function retold(view: ChannelView, at: number): ChannelChange[] {
  const { state } = view;
  if (state !== 'ringing' && state !== 'busy') return [];
  const say = (type: ChannelEventType, details: string): ChannelChange => ({
    kind: 'channel',
    type,
    details,
    view,
    at,
  });
  const said = [say(state, view.service === '' && !view.outbound ? view.queue : view.service)];
  if (view.held) said.push(say('hold', ''));
  if (view.remoteHeld) said.push(say('hold', 'remote'));
  return said;
}
