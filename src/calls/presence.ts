/** What a user's telephones are doing, as contacts see it: device states, calls and do-not-disturb in one word. Pure. */

import type { DeviceName } from '../pbx/pbx.ts';
import type { Calls } from './calls.ts';
import type { ChannelView } from './changes.ts';

/**
 * State of a user's telephones together. `unknown`: the telephone system cannot be asked, which is neither free nor away.
 * `unavailable`: no device is registered.
 */
export type TelephoneState = 'unknown' | 'unavailable' | 'free' | 'ringing' | 'dnd' | 'busy';

/** What is asked of the call model. */
export type TelephoneCalls = Pick<Calls, 'channelsOf' | 'deviceState'>;

/** One device, do-not-disturb left aside. */
type DeviceUse = 'unavailable' | 'free' | 'ringing' | 'busy';

const rank: Readonly<Record<DeviceUse, number>> = { unavailable: 0, free: 1, ringing: 2, busy: 3 };

/**
 * The state of a user with these devices; the busiest one counts. Do-not-disturb changes nothing about a user who has no
 * telephone at hand, nor about one who talks; a telephone that rings all the same (click to dial) does not end it.
 */
export function telephoneState(
  devices: readonly DeviceName[],
  calls: TelephoneCalls,
  doNotDisturb: boolean,
): TelephoneState {
  let busiest: DeviceUse = 'unavailable';
  for (const device of devices) {
    const use = useOf(device, calls);
    if (rank[use] > rank[busiest]) busiest = use;
  }
  return doNotDisturb && (busiest === 'free' || busiest === 'ringing') ? 'dnd' : busiest;
}

/** Channels come first: device states are told some milliseconds later. */
function useOf(device: DeviceName, calls: TelephoneCalls): DeviceUse {
  const told = useByState(calls.deviceState(device));
  let use = told;
  for (const channel of calls.channelsOf(device)) {
    const found = useByChannel(channel, told);
    if (rank[found] > rank[use]) use = found;
  }
  return use;
}

function useByChannel({ state, outbound }: ChannelView, told: DeviceUse): DeviceUse {
  switch (state) {
    case 'busy':
      return 'busy';
    case 'ringing':
    case 'new':
      // Who has dialed is on the phone. A click to dial makes the user's own telephone ring first.
      if (outbound) return told === 'ringing' ? 'ringing' : 'busy';
      return state === 'ringing' ? 'ringing' : 'unavailable';
    case 'ended':
      return 'unavailable';
  }
}

/** Asterisk's device states (devicestate.h). */
function useByState(state: string | undefined): DeviceUse {
  switch (state) {
    case 'INUSE':
    case 'BUSY':
    case 'RINGINUSE':
    case 'ONHOLD':
      return 'busy';
    case 'RINGING':
      return 'ringing';
    case 'NOT_INUSE':
    // A technology that has no states of its own, while no channel is there (devicestate.c, ast_device_state).
    case 'UNKNOWN':
      return 'free';
    default:
      return 'unavailable';
  }
}
