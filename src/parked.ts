/**
 * Calls that wait in parking lots, as clients were told. What the feed did not tell, since it or the bridge was away, the next snapshot
 * shows: then the end is told, for nobody else is to wait for a call that is gone.
 */

import { z } from 'zod';
import { createBound } from './bounds.ts';
import type { ParkChange } from './calls/changes.ts';
import type { Model } from './models.ts';
import type { PbxEvent, Snapshot, SnapshotChannel } from './pbx/events.ts';
import type { DeviceName } from './pbx/pbx.ts';
import type { Store } from './store/store.ts';

/** Calls that are remembered at a time; the ends of further ones are told only where the feed tells them. */
export const maxParked = 1000;

const FACT = 'parked ';
const nothing: readonly ParkChange[] = Object.freeze([]);

const text = z.string();
const kept = z.object({
  kind: z.literal('park'),
  type: z.literal('parked'),
  lot: text,
  space: text,
  channel: text.min(1),
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
  /** Asks for another snapshot. */
  readonly reread: () => void;
}

/** Makes the model, with nothing parked. */
export function createParked({ store, deviceOf, reread }: ParkedOptions): Model {
  /** By the unique id of the parked channel, whose name may change. */
  const parked = new Map<string, ParkChange>();
  const bound = createBound('parked_calls', maxParked, () => parked.size);
  let restored = false;
  let isKnown = false;
  // One that was away may have lost them.
  store.onState(({ usable }) => {
    if (usable && restored) for (const [id, change] of parked) save(id, change);
  });

  function save(id: string, change: ParkChange): void {
    store.saveFact(FACT + id, JSON.stringify(change));
  }

  function note(id: string, change: ParkChange): void {
    if (change.type !== 'parked') {
      if (parked.delete(id)) store.deleteFact(FACT + id);
      return;
    }
    if (!parked.has(id) && !bound.admits()) return;
    parked.set(id, change);
    save(id, change);
  }

  function compare(snapshot: Snapshot, at: number): readonly ParkChange[] {
    const ends: ParkChange[] = [];
    if (parked.size === 0) return ends;
    // Of these the events themselves say what happened.
    const told = new Set(snapshot.meanwhile.map(parkeeOf));
    const channels = new Map(snapshot.channels.map((channel) => [channel.uniqueId, channel]));
    const bridges = new Map(snapshot.bridges.map((bridge) => [bridge.id, bridge]));
    for (const [id, change] of parked) {
      if (told.has(id)) continue;
      const channel = channels.get(id);
      const bridge = bridges.get(channel?.bridgeId ?? '');
      if (channel !== undefined && waits(channel, bridge)) continue;
      const other = bridge?.channels.find((each) => each !== id);
      const type = channel === undefined ? 'abandoned' : other === undefined ? 'timeout' : 'retrieved';
      const retriever = channels.get(other ?? '')?.name ?? '';
      ends.push({ ...change, type, retriever: deviceOf(retriever) ?? '', at });
      note(id, { ...change, type });
    }
    return ends;
  }

  return {
    bounds: [bound],
    apply(event, changes) {
      if (event.type === 'snapshot') {
        isKnown = true;
        return compare(event.snapshot, event.at);
      }
      const id = parkeeOf(event);
      if (id !== undefined) for (const change of changes) if (change.kind === 'park') note(id, change);
      return nothing;
    },
    async restore() {
      const facts = await store.loadFacts();
      // Once: what has ended meanwhile may be in what was read before.
      if (restored) return;
      for (const [name, fact] of facts) {
        const id = name.slice(FACT.length);
        if (!name.startsWith(FACT) || parked.has(id)) continue;
        const change = read(fact);
        if (change === undefined || !bound.admits()) store.deleteFact(name);
        else parked.set(id, change);
      }
      restored = true;
      // The state was read before anybody knew what to look for in it.
      if (isKnown && parked.size > 0) reread();
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

function read(fact: string): ParkChange | undefined {
  try {
    const parsed = kept.safeParse(JSON.parse(fact));
    // The names were names of channels and devices when they were written.
    return parsed.success ? (parsed.data as ParkChange) : undefined;
  } catch {
    return undefined; // Not ours, or of another version: the caller deletes it.
  }
}
