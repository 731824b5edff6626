/** The call model behind its port. */

import type { Calls, DeviceLookup } from './calls.ts';
import type { CallChange, ChannelView, Party } from './changes.ts';
import type { Leg } from './leg.ts';
import { rememberById, restore } from './memory.ts';
import { expectNumber, expectTaking } from './originate.ts';
import { digest, reduce } from './reduce.ts';
import { viewOf } from './settle.ts';
import { createWorld } from './world.ts';

/** What {@link createCalls} needs. The look-ups are asked in the middle of an event and must be quick. */
export interface CallsOptions {
  /** The device of a user behind a channel's name; undefined for trunks, Local halves and everything else. */
  readonly deviceOf: DeviceLookup;
  /** Who has an internal number: needed to tell "forwarded by" of calls that the dialplan forwards. */
  readonly extension?: (number: string) => Party | undefined;
  /** Token of the service behind a dialled number, where the feed does not tell applications. */
  readonly serviceAt?: (number: string) => string;
  /** Channels that are followed; default: as many as a list of Asterisk may have. */
  readonly mostChannels?: number;
}

const nothing: readonly CallChange[] = Object.freeze([]);

/**
 * Makes a call model with nothing in it. The cost of an event does not depend on how many calls there are; what has
 * ended is forgotten.
 */
export function createCalls({ deviceOf, extension, serviceAt, mostChannels }: CallsOptions): Calls {
  const lookups = {
    deviceOf,
    extension: extension ?? (() => undefined),
    serviceAt: serviceAt ?? (() => ''),
  };
  const world = createWorld(lookups, mostChannels);

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
    bounds: [world.room],
    apply(event) {
      reduce(world, event);
      return told();
    },
    *digest(event) {
      for (const _ of digest(world, event)) yield told();
      yield told();
    },
    expect: (uniqueId, number) => expectNumber(world, uniqueId, number),
    parked(uniqueId, space) {
      const leg = world.legs.get(uniqueId);
      if (leg !== undefined) leg.parked = space;
    },
    takes: (uniqueId, rung) => expectTaking(world, uniqueId, rung),
    channel(id) {
      const leg = world.calls.get(id);
      return leg === undefined ? undefined : views([leg])[0];
    },
    channelsOf: (device) => views(world.byDevice.get(device) ?? []),
    channels: () => views(world.calls.values()),
    currentName: (id) => world.calls.get(id)?.name,
    remember: (id) => rememberById(world, id),
    restore: (memories) => restore(world, memories),
    overlooks() {
      for (const leg of world.legs.values()) {
        if (leg.call === undefined && !leg.local && world.deviceOf(leg.name) !== undefined) return true;
      }
      return false;
    },
    deviceState: (device) => world.deviceStates.get(device),
  };
}
