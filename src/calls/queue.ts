/** Queues: callers wait in them, members are rung from them (app_queue.c). */

import type { EventOf } from './reducer.ts';
import { settle } from './settle.ts';
import { recognize, type World } from './world.ts';

/** A caller waits. The members' channels will be of its group, and ring before anything else says why. */
export function queueJoin(world: World, event: EventOf<'queue-join'>): void {
  const leg = recognize(world, event.channel);
  if (leg === undefined) return;
  leg.group.queue = event.queue;
  leg.service = 'queue';
  if (leg.call !== undefined) leg.call.queue = event.queue;
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
