/** Parking (res_parking). */

import { Failure, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import { action, checkedChannel } from './action.ts';
import { isUnknownAction } from './answer.ts';
import { ignoreGone } from './channels.ts';
import { type Control, type ManagerMessage, text } from './control.ts';
import type { PbxEvent } from './events.ts';
import type { ChannelId, ParkedCall, Pbx } from './pbx.ts';

/** How long a parked call may be in coming, milliseconds. */
const PARK_MS = 2000;

const lotName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/;

/** The value if it can name a parking lot. Throws `Failure` `invalid-target`. */
function checkedLot(lot: string): string {
  if (lotName.test(lot)) return lot;
  return fail('invalid-target', 'A parking lot is named with letters, digits and . _ - only.');
}

/** Parks a channel in the name of another. Asterisk's Success means only that it will try; `ParkedCall` tells. */
function parkAction(channel: ChannelId, parker: ChannelId, lot: string | undefined) {
  return action('Park', {
    Channel: checkedChannel(channel),
    // Its name up to the last hyphen is the device that the call returns to; it also hears the space.
    TimeoutChannel: checkedChannel(parker),
    AnnounceChannel: checkedChannel(parker),
    ...(lot !== undefined && { Parkinglot: checkedLot(lot) }),
  });
}

/** Where the channel waits, if this event says so. */
function parkedIn(event: PbxEvent, channel: ChannelId): ParkedCall | undefined {
  if (event.type !== 'parked' || event.parkee.name !== channel) return undefined;
  return {
    space: event.space,
    lot: event.lot,
    channel,
    uniqueId: event.parkee.uniqueId,
    callerName: event.parkee.callerName,
    callerNumber: event.parkee.callerNumber,
    parker: event.parker,
    waited: 0,
    timeout: event.timeout,
  };
}

/** Lists parked calls. Rejects as `Control.list` does; `not-supported` where res_parking is not loaded. */
async function readParkedCalls(control: Control, lot: string | undefined): Promise<readonly ParkedCall[]> {
  const query = action('ParkedCalls', lot === undefined ? {} : { ParkingLot: checkedLot(lot) });
  try {
    return (await control.list(query)).map(readParkedCall);
  } catch (error) {
    if (error instanceof Failure && isUnknownAction(error.message)) {
      fail('not-supported', 'The telephone system has no parking lots.');
    }
    throw error;
  }
}

function readParkedCall(item: ManagerMessage): ParkedCall {
  const known = (key: string) => text(item, key).replace(/^<unknown>$/, '');
  return {
    space: text(item, 'parkingspace'),
    lot: text(item, 'parkinglot'),
    channel: text(item, 'parkeechannel') as ChannelId,
    uniqueId: text(item, 'parkeeuniqueid'),
    callerName: known('parkeecalleridname'),
    callerNumber: known('parkeecalleridnum'),
    parker: text(item, 'parkerdialstring'),
    waited: Number(text(item, 'parkingduration')) || 0,
    timeout: Number(text(item, 'parkingtimeout')) || 0,
  };
}

/** The verbs of parking lots. */
export function parkingVerbs({ run, ask, watch }: Acting): Pick<Pbx, 'park' | 'parkedCalls'> {
  return {
    async park(channel, parker, lot) {
      // Asterisk says Success to a lot that there is not, and does nothing.
      if (lot !== undefined) await ask((control) => readParkedCalls(control, lot));
      const told = watch.next((event) => parkedIn(event, channel), PARK_MS);
      await told.after(run(parkAction(channel, parker, lot)));
      const parked = await told.outcome;
      if (parked === undefined)
        fail('rejected', 'The call could not be parked: the parking lot may be full.');
      // Who parked is left in the old bridge, alone and connected.
      await run(action('Hangup', { Channel: checkedChannel(parker) })).catch(ignoreGone);
      return parked;
    },
    parkedCalls: (lot) => ask((control) => readParkedCalls(control, lot)),
  };
}
