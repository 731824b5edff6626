/** What was told of queues outlives the bridge: the next one takes it for its own, and tells what differs from the state that it finds. */

import { z } from 'zod';
import type { Bounded } from './bounds.ts';
import { createKept } from './kept.ts';
import type { ChannelId, QueueMember } from './pbx/pbx.ts';
import type { QueueChange, QueueJoinChange, QueueLeaveChange, QueueMemberChange } from './queues/changes.ts';
import type { Remembered } from './queues/queues.ts';
import { askAll } from './unconfirmed.ts';

/** Calls that wait and memberships of which another bridge tells the ends; of more, it tells the beginnings once more. */
export const maxWaits = 1000;
export const maxMemberships = 10_000;

const text = z.string();

const wait = z.object({
  queue: text.min(1),
  channel: text.transform((name) => name as ChannelId),
  uniqueId: text.min(1),
  number: text,
  name: text,
  since: z.number(),
  /** Only the order counts. */
  place: z.number(),
});
type Wait = z.infer<typeof wait>;

const membership: z.ZodType<QueueMember> = z.object({
  queue: text.min(1),
  interface: text.min(1),
  stateInterface: text,
  name: text,
  dynamic: z.boolean(),
  penalty: z.number(),
  paused: z.boolean(),
  pausedReason: text,
});

/** What was told of queues. */
export interface QueueTold extends Bounded {
  /** Notes what is to be told now. */
  note(changes: readonly QueueChange[]): void;
  /** Notes that a change was told; `heard`: to anybody. */
  told(change: QueueChange, heard: boolean): void;
  /** As `Kept.ask`. */
  ask(): () => void;
  /** Takes in what an earlier bridge has told. Rejects as the store does, and goes on from there when it is called again. */
  load(): Promise<void>;
  /** Unique ids of the calls that wait in a queue, from the front on. */
  standing(queue: string): readonly string[];
  /** The place of a call among them, from 1; 0 where it is not there. */
  standsAt(queue: string, uniqueId: string): number;
  /** The place, from 1, of a call in the list as it was told; 0 where it was not. */
  shownAt(queue: string, uniqueId: string): number;
  /** All that was told and has not ended, as far as it is remembered. */
  remembered(): Remembered;
}

/** Calls that wait in one queue, from the front on. */
class Line {
  readonly calls: Wait[] = [];
  readonly #byId = new Map<string, Wait>();
  /** The place of each, from 1; made when it is asked for, and kept until something changes: all are asked for at a time. */
  #places: ReadonlyMap<string, number> | undefined;

  insert(one: Wait, index: number): void {
    this.calls.splice(index, 0, one);
    this.#byId.set(one.uniqueId, one);
    this.#places = undefined;
  }

  /** Calls leave from the front mostly. */
  remove(uniqueId: string): void {
    const index = this.indexOf(uniqueId);
    if (index < 0) return;
    this.calls.splice(index, 1);
    this.#byId.delete(uniqueId);
    this.#places = undefined;
  }

  get(uniqueId: string): Wait | undefined {
    return this.#byId.get(uniqueId);
  }

  /** -1 where it is not there. For few: looks through the line, from the front on. */
  indexOf(uniqueId: string): number {
    const one = this.get(uniqueId);
    return one === undefined ? -1 : this.calls.indexOf(one);
  }

  get places(): ReadonlyMap<string, number> {
    this.#places ??= new Map(this.calls.map(({ uniqueId }, index) => [uniqueId, index + 1]));
    return this.#places;
  }
}

/** Makes it, with nothing told. */
export function createQueueTold(store: Parameters<typeof createKept>[0]['store']): QueueTold {
  const waits = createKept({
    of: 'told_waiting_calls',
    max: maxWaits,
    store,
    prefix: 'waits ',
    schema: wait,
  });
  const memberships = createKept({
    of: 'told_memberships',
    max: maxMemberships,
    store,
    prefix: 'member ',
    schema: membership,
  });
  /** The waiting lists as they are to be told as soon as there is room, and as they were told, by queue. */
  const lists = new Map<string, Line>();
  const shown = new Map<string, Line>();
  /** Where those stand, or stood, that came. */
  const came = new WeakMap<QueueJoinChange, Wait>();

  function lineOf(all: Map<string, Line>, queue: string): Line {
    const line = all.get(queue) ?? new Line();
    all.set(queue, line);
    return line;
  }

  function join(change: QueueJoinChange): void {
    const { queue, call, position } = change;
    const line = lineOf(lists, queue);
    // It may be at another place.
    line.remove(call.uniqueId);
    const index = Math.min(position - 1, line.calls.length);
    const one = { ...call, queue, place: placeAt(queue, line, index) };
    line.insert(one, index);
    came.set(change, one);
  }

  /** What puts a call there, told and untold ones alike. */
  function placeAt(queue: string, line: Line, index: number): number {
    const [before, after] = [line.calls[index - 1]?.place, line.calls[index]?.place];
    if (after === undefined) return (before ?? 0) + 1;
    if (before === undefined) return after - 1;
    const between = (before + after) / 2;
    if (before < between && between < after) return between;
    // Some fifty came one after the other before one that waits still, or behind one: there is no number in between.
    numberAnew(queue);
    return placeAt(queue, line, index);
  }

  function numberAnew(queue: string): void {
    const told = shown.get(queue)?.calls ?? [];
    const all = new Set([...(lists.get(queue)?.calls ?? []), ...told]);
    for (const [place, one] of [...all].sort((a, b) => a.place - b.place).entries()) one.place = place;
    for (const one of told) if (waits.has(one.uniqueId)) waits.set(one.uniqueId, { ...one }, false);
  }

  function leave(all: Map<string, Line>, queue: string, uniqueId: string): void {
    const line = all.get(queue);
    line?.remove(uniqueId);
    if (line?.calls.length === 0) all.delete(queue);
  }

  function show(one: Wait): void {
    const line = lineOf(shown, one.queue);
    if (line.get(one.uniqueId) === one) return;
    line.remove(one.uniqueId);
    line.insert(one, line.calls.findLastIndex(({ place }) => place <= one.place) + 1);
  }

  function toldMember({ type, member }: QueueMemberChange, heard: boolean): void {
    const id = `${encodeURIComponent(member.queue)} ${member.interface}`;
    if (type === 'logout') memberships.end(id, heard);
    else memberships.set(id, member, heard);
  }

  function toldJoin(change: QueueJoinChange, heard: boolean): void {
    const one = came.get(change);
    if (one === undefined) return;
    show(one);
    waits.set(one.uniqueId, one, heard);
  }

  function toldLeave({ queue, call: { uniqueId } }: QueueLeaveChange, heard: boolean): void {
    leave(shown, queue, uniqueId);
    // What is told late of two queues may be told in another order than it happened.
    if (waits.get(uniqueId)?.queue === queue) waits.end(uniqueId, heard);
  }

  return {
    bounds: [...waits.bounds, ...memberships.bounds],
    note(changes) {
      for (const change of changes) {
        if (change.kind === 'queue-join') join(change);
        else if (change.kind === 'queue-leave') leave(lists, change.queue, change.call.uniqueId);
      }
    },
    told(change, heard) {
      if (change.kind === 'queue-member') toldMember(change, heard);
      else if (change.kind === 'queue-join') toldJoin(change, heard);
      else toldLeave(change, heard);
    },
    ask: () => askAll([waits, memberships]),
    async load() {
      for (const { id, thing } of await waits.load()) {
        show(thing);
        const line = lineOf(lists, thing.queue);
        // It came to be known before the store did, and was not told yet.
        if (line.get(id) !== undefined) continue;
        line.insert(thing, line.calls.findLastIndex(({ place }) => place <= thing.place) + 1);
      }
      await memberships.load();
    },
    shownAt: (queue, id) => (shown.get(queue)?.indexOf(id) ?? -1) + 1,
    standing: (queue) => (lists.get(queue)?.calls ?? []).map(({ uniqueId }) => uniqueId),
    standsAt: (queue, id) => lists.get(queue)?.places.get(id) ?? 0,
    remembered: () => ({
      calls: [...waits]
        .sort(({ thing: a }, { thing: b }) => a.place - b.place)
        .map(({ thing: { queue, place: _, ...call }, sure }) => ({ queue, call, sure })),
      members: [...memberships].map(({ thing: member, sure }) => ({ member, sure })),
    }),
  };
}
