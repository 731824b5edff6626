/** What was told of queues outlives the bridge: the next one takes it for its own, and tells what differs from the state that it finds. */

import { z } from 'zod';
import type { Bounded } from './bounds.ts';
import { askAll, createKept } from './kept.ts';
import type { ChannelId, QueueMember } from './pbx/pbx.ts';
import type { QueueChange, QueueJoinChange, QueueLeaveChange, QueueMemberChange } from './queues/changes.ts';
import type { Remembered } from './queues/queues.ts';

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
  /** The place, from 1, of a call in the list as it was told; 0 where it was not. */
  shownAt(queue: string, uniqueId: string): number;
  /** All that was told and has not ended, as far as it is remembered. */
  remembered(): Remembered;
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
  const lists = new Map<string, Wait[]>();
  const shown = new Map<string, Wait[]>();
  /** Where those stand, or stood, that came. */
  const came = new WeakMap<QueueJoinChange, Wait>();

  function join(change: QueueJoinChange): void {
    const { queue, call, position } = change;
    const list = lists.get(queue) ?? [];
    lists.set(queue, list);
    const index = Math.min(position - 1, list.length);
    const [before, after] = [list[index - 1]?.place, list[index]?.place];
    const last = (before ?? 0) + 1;
    const one = { ...call, queue, place: after === undefined ? last : ((before ?? after - 2) + after) / 2 };
    list.splice(index, 0, one);
    came.set(change, one);
  }

  function leave(all: Map<string, Wait[]>, queue: string, uniqueId: string): void {
    const list = all.get(queue) ?? [];
    const index = list.findIndex((each) => each.uniqueId === uniqueId);
    if (index >= 0) list.splice(index, 1);
    if (list.length === 0) all.delete(queue);
  }

  function show(one: Wait): void {
    leave(shown, one.queue, one.uniqueId);
    const list = shown.get(one.queue) ?? [];
    shown.set(one.queue, list);
    const behind = list.findIndex(({ place }) => place > one.place);
    list.splice(behind < 0 ? list.length : behind, 0, one);
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
    waits.end(uniqueId, heard);
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
    ask: () => askAll(waits, memberships),
    async load() {
      for (const { id, thing } of await waits.load()) {
        show(thing);
        const list = lists.get(thing.queue) ?? [];
        // It came to be known before the store did, and was not told yet.
        if (list.some(({ uniqueId }) => uniqueId === id)) continue;
        lists.set(
          thing.queue,
          [...list, thing].sort((a, b) => a.place - b.place),
        );
      }
      await memberships.load();
    },
    shownAt: (queue, id) => (shown.get(queue)?.findIndex(({ uniqueId }) => uniqueId === id) ?? -1) + 1,
    standing: (queue) => (lists.get(queue) ?? []).map(({ uniqueId }) => uniqueId),
    remembered: () => ({
      calls: [...waits]
        .sort(({ thing: a }, { thing: b }) => a.place - b.place)
        .map(({ thing: { queue, place: _, ...call }, sure }) => ({ queue, call, sure })),
      members: [...memberships].map(({ thing: member, sure }) => ({ member, sure })),
    }),
  };
}
