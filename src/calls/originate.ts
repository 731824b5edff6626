/** Originate: the telephone system rings the one who calls, and dials when that one has answered. */

import type { ChannelId } from '../pbx/pbx.ts';
import { party } from './leg.ts';
import type { EventOf } from './reducer.ts';
import { meaningOf, someService } from './services.ts';
import { settle, settleAround } from './settle.ts';
import type { Expected, World } from './world.ts';

const mostExpected = 1000;

/** Notes whom a channel calls that is there, or that will come. */
export function expectNumber(world: World, uniqueId: string, number: string): void {
  const leg = world.legs.get(uniqueId);
  if (leg === undefined) {
    if (world.ended.has(uniqueId)) return;
    expect(world, uniqueId, { number, taken: undefined });
    return;
  }
  const call = leg.call;
  if (call === undefined || call.dialed !== '' || !call.outbound) return;
  call.dialed = number;
  if (call.phase === 'new') call.other = party(number, '');
  settle(world, leg);
}

/** Notes whose call a channel takes that will come. */
export function expectTaking(world: World, uniqueId: string, rung: ChannelId): void {
  const call = world.calls.get(rung)?.call;
  if (call === undefined || world.legs.has(uniqueId) || world.ended.has(uniqueId)) return;
  const { other, otherDevice, refChannel, queue } = call;
  expect(world, uniqueId, { number: '', taken: { other, otherDevice, refChannel, queue } });
}

function expect(world: World, uniqueId: string, expected: Expected): void {
  world.expected.set(uniqueId, expected);
  for (const oldest of world.expected.keys()) {
    if (world.expected.size <= mostExpected) break;
    world.expected.delete(oldest);
  }
}

/** An originated channel answered, and runs an application without a dialplan: no Newexten tells that one. */
export function originated(world: World, event: EventOf<'originate-response'>): void {
  const leg = world.legs.get(event.uniqueId);
  if (leg === undefined || !event.success || event.application === '') return;
  const meaning = meaningOf(event.application);
  if (meaning === 'spying') {
    if (leg.call?.phase === 'new') leg.call.hidden = true;
  } else if (meaning !== 'connecting') {
    leg.service = meaning === 'passing' ? someService : meaning.service;
  }
  // The answer may come before the channel is up for those who listen.
  if (leg.state !== 'up') leg.state = 'up';
  settleAround(world, leg);
}
