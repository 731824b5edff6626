/** Which event is taken in by what. What an event means is in the file that bears its name. */

import type { PbxEvent } from '../pbx/events.ts';
import { bridgeDestroy, bridgeEnter, bridgeLeave } from './bridges.ts';
import { application, spying, update } from './channels.ts';
import { deviceState } from './devices.ts';
import { dialBegin, dialEnd, dialState } from './dial.ts';
import { hangup, hangupRequest } from './hangup.ts';
import { hold } from './hold.ts';
import { originated } from './originate.ts';
import { park } from './parking.ts';
import { pickup } from './pickup.ts';
import { agentCalled, queueJoin, queueLeave } from './queue.ts';
import { type EventOf, on, type Reduce } from './reducer.ts';
import { resync } from './resync.ts';
import { type Slices, sliced } from './slices.ts';
import { attendedTransfer, blindTransfer } from './transfer.ts';
import type { World } from './world.ts';

const reducers = new Map<string, Reduce>([
  ...on(['channel-new', 'channel-update'], update),
  ...on(['application'], application),
  ...on(['dial-begin'], dialBegin),
  ...on(['dial-state'], dialState),
  ...on(['dial-end'], dialEnd),
  ...on(['bridge-enter'], bridgeEnter),
  ...on(['bridge-leave'], bridgeLeave),
  ...on(['bridge-destroy'], bridgeDestroy),
  ...on(['hold', 'unhold'], hold),
  ...on(['hangup-request'], hangupRequest),
  ...on(['hangup'], hangup),
  ...on(['blind-transfer'], blindTransfer),
  ...on(['attended-transfer'], attendedTransfer),
  ...on(['pickup'], pickup),
  ...on(['parked', 'unparked', 'park-timeout', 'park-gave-up'], park),
  ...on(['queue-join'], queueJoin),
  ...on(['queue-leave', 'queue-abandon'], queueLeave),
  ...on(['agent-called'], agentCalled),
  ...on(['spy-start'], spying),
  ...on(['originate-response'], originated),
  ...on(['device-state'], deviceState),
  ...on(['snapshot'], (world, event) => {
    for (const _ of digest(world, event));
  }),
]);

/** Takes a snapshot into the world in slices: {@link reduce} in one go, so that others may do something between two of them. */
export function* digest(world: World, event: EventOf<'snapshot'>): Slices {
  world.at = event.at;
  yield* resync(world, event.snapshot);
  yield* sliced(event.snapshot.meanwhile, (one) => reduce(world, one));
}

/** Takes one event into the world; what it tells is in `world.out`. Events of types without an entry mean nothing to calls. */
export function reduce(world: World, event: PbxEvent): void {
  world.at = event.at;
  reducers.get(event.type)?.(world, event);
}
