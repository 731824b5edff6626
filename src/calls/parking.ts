/** Parking: a call waits in a lot until somebody fetches it (res_parking). */

import type { ParkChange } from './changes.ts';
import { recognize } from './legs.ts';
import type { EventOf } from './reducer.ts';
import { settle } from './settle.ts';
import type { World } from './world.ts';

type ParkEvent = EventOf<'parked' | 'unparked' | 'park-timeout' | 'park-gave-up'>;

const kinds = new Map<ParkEvent['type'], ParkChange['type']>([
  ['parked', 'parked'],
  ['unparked', 'retrieved'],
  ['park-timeout', 'timeout'],
  ['park-gave-up', 'abandoned'],
]);

/** A call went into a lot or came out of it. ParkedCall comes a second time when the parker hangs up; it is told once. */
export function park(world: World, event: ParkEvent): void {
  const type = kinds.get(event.type);
  const leg = recognize(world, event.parkee);
  if (type === undefined || leg === undefined) return;
  if (type === 'parked' && leg.parked === event.space) return;
  leg.parked = type === 'parked' ? event.space : '';
  // The parker sent it to the lot; whoever fetches it, or gets it back, did not have it from there.
  leg.group.from = undefined;
  const retriever = recognize(world, event.retriever);
  world.out.push({
    kind: 'park',
    uniqueId: leg.uniqueId,
    type,
    lot: event.lot,
    space: event.space,
    channel: leg.call?.channel ?? leg.name,
    caller: leg.caller,
    parker: event.parker,
    retriever: retriever?.call?.device ?? '',
    timeout: event.timeout,
    at: world.at,
  });
  settle(world, leg);
}
