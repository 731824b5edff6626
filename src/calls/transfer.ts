/** Transfers: somebody leaves a call and puts another one in the own place. */

import { facing } from './across.ts';
import type { TransferRole } from './changes.ts';
import { end } from './hangup.ts';
import { release } from './hold.ts';
import { type Leg, party } from './leg.ts';
import { recognize } from './legs.ts';
import { linger } from './memory.ts';
import type { EventOf } from './reducer.ts';
import { settle, tell } from './settle.ts';
import type { World } from './world.ts';

/**
 * A blind transfer, by the phone, by digits or by AMI. Of one to an extension that does not exist Asterisk says nothing,
 * and the call goes on.
 */
export function blindTransfer(world: World, event: EventOf<'blind-transfer'>): void {
  if (!event.success) return;
  const transferer = real(recognize(world, event.transferer));
  const transferee = real(recognize(world, event.transferee));
  if (transferer !== undefined)
    tellTransfer(world, transferer, 'blind', event.exten, undefined, 'transferer');
  if (transferee === undefined) return;
  tellTransfer(world, transferee, 'blind', event.exten, undefined, 'transferee');
  transferee.holds = undefined;
  if (transferer !== undefined) {
    transferee.group.from = party(transferer.caller.number, transferer.caller.name);
    release(world, transferer, transferee);
  }
}

/**
 * An attended transfer. The transferer had two channels (REFER with Replaces) or one that consulted on a Local channel
 * (Atxfer); without a target the consulted party still rings.
 */
export function attendedTransfer(world: World, event: EventOf<'attended-transfer'>): void {
  if (!event.success) return;
  const first = real(recognize(world, event.first));
  const second = real(recognize(world, event.second));
  const transferee = real(recognize(world, event.transferee));
  const target = real(recognize(world, event.target)) ?? (second === undefined ? undefined : facing(second));
  const key = event.second.uniqueId;
  for (const leg of new Set([first, second])) {
    if (leg === undefined) continue;
    tellTransfer(world, leg, 'attended', key, target, 'transferer');
  }
  if (transferee !== undefined) tellTransfer(world, transferee, 'attended', key, target, 'transferee');
  if (target !== undefined && target !== transferee)
    tellTransfer(world, target, 'attended', key, transferee, 'target');
  for (const leg of [transferee, target]) if (leg !== undefined) leg.holds = undefined;
  if (transferee !== undefined) {
    if (first !== undefined) release(world, first, transferee);
    settle(world, transferee);
  }
  if (target !== undefined) settle(world, target);
  // Who completes the transfer by hanging up has hung up, though the channel stays as long as the target rings.
  for (const leg of new Set([first, second])) {
    if (leg?.requested === undefined) continue;
    linger(world, leg);
    end(world, leg, 'normal');
  }
}

/** The channel of a person behind a half of a Local channel. */
function real(leg: Leg | undefined): Leg | undefined {
  if (leg === undefined || !leg.local) return leg;
  return leg.half === undefined ? undefined : facing(leg.half);
}

function tellTransfer(
  world: World,
  leg: Leg,
  details: 'blind' | 'attended',
  key: string,
  to: Leg | undefined,
  role: TransferRole,
): void {
  const call = leg.call;
  if (call === undefined || call.hidden || call.phase === 'new' || call.transfer === key) return;
  call.transfer = key;
  tell(world, leg, call, 'transfer', details, { refChannel: to?.name ?? '', role });
}
