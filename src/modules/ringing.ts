/** The device that rings first when a command begins a call. */

import { randomUUID } from 'node:crypto';
import type { ChannelView } from '../calls/changes.ts';
import type { Device, User } from '../directory.ts';
import { fail } from '../errors.ts';
import type { Ring } from '../pbx/pbx.ts';
import type { Context } from './define.ts';

/**
 * The device that a call of the user begins at: the named one, or the first that can. Throws `Failure` `no-device`,
 * `not-supported`, `device-unavailable`.
 */
export function dialingDevice(user: User, name: string | undefined, context: Context): Device {
  const devices = name === undefined ? user.devices : user.devices.filter((device) => device.name === name);
  if (devices.length === 0) {
    if (name === undefined) fail('no-device', `${user.fullName} has no telephone in the directory.`);
    fail('no-device', `'${name}' is none of the devices of ${user.fullName}.`);
  }
  const able = devices.filter((device) => device.capabilities.has('dial'));
  if (able.length === 0) fail('not-supported', 'The device cannot place calls; choose another one.');
  const ready = able.find((device) => !isAway(context.calls.deviceState(device.device)));
  return (
    ready ?? fail('device-unavailable', 'The telephone is not registered: switch it on or check its network.')
  );
}

/**
 * As {@link dialingDevice}, one that nobody talks on: what comes to it now could not be taken. Throws `Failure`
 * `device-busy` besides.
 */
export function freeDevice(user: User, name: string | undefined, context: Context): Device {
  const device = dialingDevice(user, name, context);
  const talks = context.calls.channelsOf(device.device).some((view) => view.state === 'busy' && !view.held);
  if (talks)
    fail('device-busy', 'You are on the phone: hold or end that call first, or choose another device.');
  return device;
}

/** Refuses to ring a device that rings for the same call already. Throws `Failure` `device-busy`. */
export function demandSilence(device: Device, context: Context, same: (view: ChannelView) => boolean): void {
  const views = context.calls.channelsOf(device.device);
  // Also where it is about to: the telephone system has accepted it.
  const rings = views.some((view) => (view.state === 'ringing' || view.state === 'new') && same(view));
  if (rings) fail('device-busy', 'Your telephone rings for this call already: answer it there.');
}

/** Rings in the name of a user, who is shown to whoever is called. The dial string is the directory's, or made of a checked number. */
export function ringOf(user: User, dialString: string, context: Context): Ring {
  return {
    uniqueId: `offhook-${randomUUID()}`,
    device: dialString,
    callerName: user.fullName,
    callerNumber: user.extension,
    ringMs: context.settings.ringMs,
  };
}

/** Device states of a device that cannot ring (devicestate.h). Unknown states get the benefit of the doubt. */
export function isAway(state: string | undefined): boolean {
  return state === 'UNAVAILABLE' || state === 'INVALID';
}
