/** Dial and Queue: who rings whom, and how that ended (app_dial.c, app_queue.c; stasis_channels.c for the events). */

import { ringsSomebody } from './across.ts';
import { type Leg, nobody, party } from './leg.ts';
import { meet } from './legs.ts';
import { cease } from './offer.ts';
import type { EventOf } from './reducer.ts';
import { settle, settleAround, tell } from './settle.ts';
import type { World } from './world.ts';

/** A channel begins to ring another. Without a caller it is Originate, or the consulting call of a transfer. */
export function dialBegin(world: World, event: EventOf<'dial-begin'>): void {
  const dest = meet(world, event.dest);
  const caller = event.caller === undefined ? undefined : meet(world, event.caller);
  if (dest === undefined || caller === undefined) return;
  link(caller, dest);
  dest.dialStatus = '';
  dest.dialExten = caller.exten;
  caller.dialResult = '';
  called(dest);
  settleAround(world, dest);
  settleAround(world, caller);
}

/** The rung channel answers with something less than an answer: it rings, or early audio comes. */
export function dialState(world: World, event: EventOf<'dial-state'>): void {
  const dest = meet(world, event.dest);
  const caller = event.caller === undefined ? undefined : meet(world, event.caller);
  if (caller !== undefined && dest !== undefined) {
    if (dest.dialedBy === undefined && dest.dialStatus === '') link(caller, dest);
    if (isAlert(event.status)) caller.alerting = true;
    settle(world, caller);
  }
  if (dest !== undefined) settle(world, dest);
}

/** The rung channel has answered, or will not. */
export function dialEnd(world: World, event: EventOf<'dial-end'>): void {
  const dest = meet(world, event.dest);
  const caller = event.caller === undefined ? undefined : meet(world, event.caller);
  // Queue says it twice of a channel it gave up.
  if (dest === undefined || dest.dialStatus === event.status) return;
  const sentOn = event.status === 'CANCEL' && isSentOn(caller, dest, event.forward);
  dest.dialStatus = event.status;
  if (caller !== undefined) {
    // In a transfer to a ringing target, and in a pickup, others than those who began stand at both ends.
    link(caller, dest);
    // Of a group, the one who answers decides; those who are given up say nothing of the others.
    const decided = caller.dialResult === 'ANSWER' || (event.status === 'CANCEL' && caller.dialResult !== '');
    if (!decided) caller.dialResult = event.status;
    if (event.status === 'ANSWER') {
      forfeit(caller, dest);
      takesOver(caller, dest);
    } else if (!ringsSomebody(caller)) caller.alerting = false;
  }
  if (sentOn) redirect(world, dest, caller);
  settle(world, dest);
  if (caller !== undefined) settle(world, caller);
}

/** Everything else that the caller rang has lost the call to this one. */
export function forfeit(caller: Leg, winner: Leg): void {
  for (const dest of caller.dials) {
    if (dest !== winner && (dest.dialStatus === '' || dest.dialStatus === 'CANCEL')) dest.lost = true;
  }
}

/** Who dialled something else and answers this call picks it up; Pickup itself may come later. Nothing was told of it yet. */
function takesOver(caller: Leg, taker: Leg): void {
  const call = taker.call;
  if (call === undefined || call.phase !== 'new' || !call.outbound || call.origin) return;
  call.outbound = false;
  call.dialed = '';
  call.other = nobody;
  call.queue = caller.group.queue;
}

/** Notes who rings whom. */
export function link(caller: Leg, dest: Leg): void {
  if (dest.dialedBy === caller) return;
  dest.dialedBy?.dials.delete(dest);
  dest.dialedBy = caller;
  caller.dials.add(dest);
}

// A called channel whose Linkedid was its own looked like an originated one; nothing was told yet, so nothing is wrong.
function called(dest: Leg): void {
  const call = dest.call;
  if (call === undefined || call.phase !== 'new' || call.dialed !== '' || !call.origin) return;
  if (dest.dialedBy?.local === true) return;
  call.outbound = false;
  call.origin = false;
  call.stale = undefined;
  call.other = nobody;
}

function isAlert(status: string): boolean {
  return status === 'RINGING' || status === 'PROGRESS' || status === 'PROCEEDING';
}

/** The device sent the call on itself (302), or the caller was sent elsewhere while it rang: its extension is another now. */
function isSentOn(caller: Leg | undefined, dest: Leg, forward: string): boolean {
  if (forward !== '') return true;
  if (caller === undefined || caller.requested !== undefined || dest.dialExten === '') return false;
  return caller.exten !== '' && caller.exten !== 'h' && caller.exten !== dest.dialExten;
}

function redirect(world: World, dest: Leg, caller: Leg | undefined): void {
  dest.forwarded = true;
  const group = (caller ?? dest).group;
  group.from = party(dest.caller.number, dest.caller.name);
  tellRedirect(world, dest);
}

/** Tells the user whose telephone rang that the call goes to somebody else. Once. */
function tellRedirect(world: World, leg: Leg): void {
  const call = leg.call;
  if (call === undefined || call.phase !== 'ringing' || call.outbound || call.redirected) return;
  call.redirected = true;
  cease(world, call);
  tell(world, leg, call, 'redirect', '');
}

/** A device that deflected its call ends with cause 23; where DialEnd has not said so before, this is the news. */
export function redirectOnHangup(world: World, leg: Leg): void {
  if (leg.forwarded || leg.call?.phase !== 'ringing' || leg.call.outbound) return;
  redirect(world, leg, leg.dialedBy);
}
