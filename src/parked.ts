/**
 * Calls that wait in parking lots, as clients were told. What the feed did not tell, since it or the bridge was away, the next snapshot
 * shows: then the end is told, for nobody is to wait for a call that is gone, and the beginning, for nobody is to be forgotten in a lot.
 */

import { z } from 'zod';
import { createBound } from './bounds.ts';
import type { Calls } from './calls/calls.ts';
import type { ParkChange } from './calls/changes.ts';
import type { Tell } from './changes.ts';
import { createKept } from './kept.ts';
import type { Log } from './log.ts';
import type { Model } from './models.ts';
import { parkedKey } from './modules/parking.ts';
import type { PbxEvent, Snapshot, SnapshotChannel } from './pbx/events.ts';
import type { ChannelId, DeviceName, ParkedCall, Pbx } from './pbx/pbx.ts';
import type { Store } from './store/store.ts';

/** Calls that are remembered at a time; the beginnings and ends of further ones are told only where the feed tells them. */
export const maxParked = 1000;

const nothing: readonly ParkChange[] = Object.freeze([]);

const text = z.string();
// The names were names of channels and devices when they were written.
const channel = text.min(1).transform((name) => name as ChannelId);
const schema: z.ZodType<ParkChange, unknown> = z.object({
  kind: z.literal('park'),
  uniqueId: text.min(1),
  type: z.literal('parked'),
  lot: text,
  space: text,
  channel,
  caller: z.object({ number: text, name: text }),
  parker: text,
  retriever: z.literal(''),
  timeout: z.number(),
  at: z.number(),
});

/** What {@link createParked} needs. */
export interface ParkedOptions {
  readonly store: Pick<Store, 'loadFacts' | 'saveFact' | 'deleteFact' | 'onState'>;
  /** The device that a channel belongs to; undefined where it is none of the directory's. */
  readonly deviceOf: (channel: string) => DeviceName | undefined;
  readonly pbx: Pick<Pbx, 'parkedCalls' | 'reread' | 'onState'>;
  readonly calls: Pick<Calls, 'channels' | 'parked'>;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Makes the model, with nothing parked. */
export function createParked({ store, pbx, calls, deviceOf, log, now }: ParkedOptions): Model {
  /** By the unique id of the parked channel, whose name may change. */
  const parked = new Map<string, ParkChange>();
  const bound = createBound('parked_calls', maxParked, () => parked.size);
  /** Of these, what was told. */
  const kept = createKept({ of: 'told_parked_calls', max: maxParked, store, prefix: 'parked ', schema });
  /** An earlier bridge told of them, perhaps in vain. */
  const unsure = new Set<string>();
  /** Unique ids of those that a snapshot showed, and of which nothing was told yet; a new set for each snapshot. */
  let missed = new Set<string>();
  let isKnown = false;
  let tell: Tell = () => {};
  // Which connection comes first is a matter of luck: one shows that there are calls to be asked for, the other answers.
  pbx.onState(({ control }) => {
    if (control) void learn();
  });

  function note(change: ParkChange): void {
    const { uniqueId, type } = change;
    missed.delete(uniqueId);
    unsure.delete(uniqueId);
    if (type !== 'parked') parked.delete(uniqueId);
    else if (parked.has(uniqueId) || bound.admits()) parked.set(uniqueId, change);
  }

  /** What a snapshot says of those that wait, as far as events have not said it themselves. */
  function compare({ channels, bridges, meanwhile }: Snapshot, at: number): readonly ParkChange[] {
    const heard = new Set(meanwhile.map(parkeeOf));
    const inBridges = new Map(bridges.map((bridge) => [bridge.id, bridge]));
    const byId = new Map(parked.size === 0 ? [] : channels.map((channel) => [channel.uniqueId, channel]));
    const ends: ParkChange[] = [];
    const again: ParkChange[] = [];
    for (const [id, change] of parked) {
      if (heard.has(id)) continue;
      const channel = byId.get(id);
      const bridge = inBridges.get(channel?.bridgeId ?? '');
      if (channel !== undefined && waits(channel, bridge)) {
        calls.parked(id, change.space);
        if (unsure.delete(id)) again.push({ ...change, at });
        continue;
      }
      const other = bridge?.channels.find((each) => each !== id);
      const type = channel === undefined ? 'abandoned' : other === undefined ? 'timeout' : 'retrieved';
      const retriever = byId.get(other ?? '')?.name ?? '';
      ends.push({ ...change, type, retriever: deviceOf(retriever) ?? '', at });
    }
    for (const end of ends) note(end);
    const isNew = (id: string) => !parked.has(id) && !heard.has(id);
    const lots = bridges.filter(({ type }) => type === 'parking');
    missed = new Set(lots.flatMap((lot) => lot.channels.filter(isNew)));
    void learn();
    return [...ends, ...again];
  }

  /** Asks where those are that were parked unseen, and tells. What events say of them in between counts more. */
  async function learn(): Promise<void> {
    const asked = missed;
    if (asked.size === 0) return;
    try {
      const listed = await pbx.parkedCalls();
      // A later snapshot has asked again.
      if (asked !== missed) return;
      const views = new Map(calls.channels().map((view) => [view.uniqueId, view]));
      const begun = listed
        .filter(({ uniqueId }) => asked.has(uniqueId))
        .slice(0, Math.max(0, maxParked - parked.size))
        .map((call) => begin(call, views.get(call.uniqueId)?.channel ?? call.channel));
      for (const change of begun) {
        calls.parked(change.uniqueId, change.space);
        note(change);
      }
      tell(begun);
    } catch (error) {
      log.info({ reason: String(error) }, 'calls that were parked unseen cannot be asked for yet');
    }
  }

  function begin(call: ParkedCall, channel: ChannelId): ParkChange {
    const { uniqueId, lot, space, parker, timeout } = call;
    const caller = { number: call.callerNumber, name: call.callerName };
    const where = { lot, space, channel, caller, parker, timeout };
    return { kind: 'park', type: 'parked', uniqueId, ...where, retriever: '', at: now() };
  }

  return {
    bounds: [bound, ...kept.bounds],
    onChange(listener) {
      tell = listener;
    },
    apply(event, changes) {
      for (const change of changes) if (change.kind === 'park') note(change);
      if (event.type !== 'snapshot') return nothing;
      isKnown = true;
      return compare(event.snapshot, event.at);
    },
    told(change, heard) {
      if (change.kind !== 'park') return;
      if (change.type === 'parked') kept.set(change.uniqueId, change, heard);
      else kept.end(change.uniqueId, heard);
    },
    ask: kept.ask,
    async restore() {
      const found = (await kept.load()).filter(({ id }) => !parked.has(id));
      for (const { id, thing, sure } of found) {
        parked.set(id, thing);
        if (!sure) unsure.add(id);
      }
      // The state was read before anybody knew what to look for in it.
      if (isKnown && found.length > 0) pbx.reread();
      return [...kept].map(({ id }) => parkedKey(id));
    },
  };
}

/** The unique id of the channel that an event of a parking lot is about. */
function parkeeOf(event: PbxEvent): string | undefined {
  return 'parkee' in event ? event.parkee.uniqueId : undefined;
}

/** Whether a channel is in a lot still. Where bridges could not be listed, one that is in any bridge counts as waiting. */
function waits({ bridgeId }: SnapshotChannel, bridge: { readonly type: string } | undefined): boolean {
  if (bridge === undefined) return bridgeId !== '';
  return bridge.type === 'parking' || bridge.type === 'holding';
}
