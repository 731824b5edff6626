/** The call model: puts the parts together. What an event means is in the file that bears its name. */

import { bridgeDestroy, bridgeEnter, bridgeLeave } from './bridges.ts';
import type { Calls, DeviceLookup } from './calls.ts';
import type { CallChange, ChannelView, Party } from './changes.ts';
import { application, spying, update } from './channels.ts';
import { deviceState } from './devices.ts';
import { dialBegin, dialEnd, dialState } from './dial.ts';
import { hangup, hangupRequest } from './hangup.ts';
import { hold } from './hold.ts';
import type { Leg } from './leg.ts';
import { expectNumber, originated } from './originate.ts';
import { park } from './parking.ts';
import { pickup } from './pickup.ts';
import { agentCalled, queueJoin, queueLeave } from './queue.ts';
import { on, type Reduce } from './reducer.ts';
import { resync } from './resync.ts';
import { viewOf } from './settle.ts';
import { attendedTransfer, blindTransfer } from './transfer.ts';
import { createWorld, type World } from './world.ts';

/** What {@link createCalls} needs. The look-ups are asked in the middle of an event and must be quick. */
export interface CallsOptions {
  /** The device of a user behind a channel's name; undefined for trunks, Local halves and everything else. */
  readonly deviceOf: DeviceLookup;
  /** Who has an internal number: needed to tell "forwarded by" of calls that the dialplan forwards. */
  readonly extension?: (number: string) => Party | undefined;
  /** Token of the service behind a dialled number, where the feed does not tell applications. */
  readonly serviceAt?: (number: string) => string;
}

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
    resync(world, event.snapshot);
    for (const one of event.snapshot.meanwhile) reduce(world, one);
  }),
]);

function reduce(
  world: World,
  event: { readonly type: string; readonly at: number } & Parameters<Reduce>[1],
): void {
  world.at = event.at;
  reducers.get(event.type)?.(world, event);
}

const nothing: readonly CallChange[] = Object.freeze([]);

/**
 * Makes a call model with nothing in it. The cost of an event does not depend on how many calls there are; what has
 * ended is forgotten.
 */
export function createCalls({ deviceOf, extension, serviceAt }: CallsOptions): Calls {
  const world = createWorld({
    deviceOf,
    extension: extension ?? (() => undefined),
    serviceAt: serviceAt ?? (() => ''),
  });

  function views(legs: Iterable<Leg>): ChannelView[] {
    const seen: ChannelView[] = [];
    for (const leg of legs) if (leg.call !== undefined && !leg.call.hidden) seen.push(viewOf(leg, leg.call));
    return seen;
  }

  function told(): readonly CallChange[] {
    if (world.out.length === 0) return nothing;
    const out = world.out;
    world.out = [];
    return out;
  }

  return {
    apply(event) {
      reduce(world, event);
      return told();
    },
    expect(uniqueId, number) {
      expectNumber(world, uniqueId, number);
      return told();
    },
    channel(id) {
      const leg = world.calls.get(id);
      return leg === undefined ? undefined : views([leg])[0];
    },
    channelsOf: (device) => views(world.byDevice.get(device) ?? []),
    channels: () => views(world.calls.values()),
    currentName: (id) => world.calls.get(id)?.name,
    deviceState: (device) => world.deviceStates.get(device),
  };
}
