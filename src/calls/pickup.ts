/** Pickup: a telephone takes the call that rings at another one (pickup.c). */

import { forfeit, link } from './dial.ts';
import { nobody } from './leg.ts';
import { recognize } from './legs.ts';
import type { EventOf } from './reducer.ts';
import { enter, leave } from './rooms.ts';
import { settleAround } from './settle.ts';
import type { World } from './world.ts';

/** The one who picks up takes the place of the one who rang: called by the same caller, without a DialBegin of its own. */
export function pickup(world: World, event: EventOf<'pickup'>): void {
  const taker = recognize(world, event.channel);
  const target = recognize(world, event.target);
  if (target !== undefined) {
    target.lost = true;
    // It gets no DialEnd of its own.
    if (target.dialStatus === '') target.dialStatus = 'CANCEL';
  }
  if (taker === undefined) return;
  const call = taker.call;
  if (call?.phase === 'new') {
    // The code that was dialled was no call; the call is the one that came in at the other telephone.
    call.outbound = false;
    call.dialed = '';
    call.other = nobody;
    if (target?.call !== undefined) call.queue = target.call.queue;
  }
  // From here on it is a called channel like any other.
  if (call?.outbound === false) call.origin = false;
  if (target?.room !== undefined) {
    // Answered in the same moment: its place in the bridge is taken, too, and no BridgeEnter says so (ast_do_pickup masquerades).
    const { id, type } = target.room;
    leave(world, target);
    enter(world, taker, id, type);
  }
  const caller = target?.dialedBy;
  if (caller !== undefined) {
    link(caller, taker);
    forfeit(caller, taker);
  }
  settleAround(world, taker);
}
