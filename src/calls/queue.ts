/** Queues: callers wait in them, members are rung from them (app_queue.c). */

import type { Leg } from './leg.ts';
import { recognize } from './legs.ts';
import type { EventOf } from './reducer.ts';
import { settle } from './settle.ts';
import type { World } from './world.ts';

/** The queue that an application's data names (`Support,tT,,,60`). */
export function queueOf(data: string): string {
  const comma = data.indexOf(',');
  return comma < 0 ? data : data.slice(0, comma);
}

/** Notes that a caller waits. The members' channels will be of its group, and ring before anything else says why. */
export function waitIn(leg: Leg, queue: string): void {
  leg.service = 'queue';
  if (queue === '') return;
  leg.group.queue = queue;
  if (leg.call !== undefined) leg.call.queue = queue;
}

/** A caller waits. */
export function queueJoin(world: World, event: EventOf<'queue-join'>): void {
  const leg = recognize(world, event.channel);
  if (leg === undefined) return;
  waitIn(leg, event.queue);
  settle(world, leg);
}

/** A caller waits no longer: connected, or gone. */
export function queueLeave(world: World, event: EventOf<'queue-leave' | 'queue-abandon'>): void {
  const leg = recognize(world, event.channel);
  if (leg !== undefined) leg.group.queue = '';
}

/** A member is rung. */
export function agentCalled(world: World, event: EventOf<'agent-called'>): void {
  const leg = recognize(world, event.dest);
  if (leg?.call !== undefined && leg.call.queue === '') leg.call.queue = event.queue;
}
