/** How an event finds what takes it in: one look-up by its type. */

import type { PbxEvent } from '../pbx/events.ts';
import type { World } from './world.ts';

// Distributes over the union: a member that stands for several types matches any of them.
type Matching<E, T> = E extends { readonly type: infer U }
  ? [Extract<U, T>] extends [never]
    ? never
    : E
  : never;

/** The events of a type. */
export type EventOf<T extends PbxEvent['type']> = Matching<PbxEvent, T>;

/** Takes one event into the world. */
export type Reduce = (world: World, event: PbxEvent) => void;

/** Types of a reducer, and the reducer behind a check of the type. */
export type Entry = readonly [type: PbxEvent['type'], reduce: Reduce];

/** Entries for the table: these types are taken in by this function. */
export function on<T extends PbxEvent['type']>(
  types: readonly T[],
  reduce: (world: World, event: EventOf<T>) => void,
): Entry[] {
  return types.map((type) => {
    const isOne = (event: PbxEvent): event is EventOf<T> => event.type === type;
    return [
      type,
      (world, event) => {
        if (isOne(event)) reduce(world, event);
      },
    ];
  });
}
