/** Originate: a device rings first, and what it is connected with then is decided here, never by a client. */

import { Failure, fail } from '../errors.ts';
import type { Acting } from './acting.ts';
import {
  type AmiAction,
  action,
  callerId,
  checkedChannel,
  checkedContext,
  checkedExtension,
} from './action.ts';
import type { PbxEvent } from './events.ts';
import type { ChannelId, ListenMode, Originate, Pbx, Ring } from './pbx.ts';

/** Connects the device with an extension. Throws `Failure` `invalid-target`. */
function callExtension(call: Originate): AmiAction {
  return ring(call, {
    Context: checkedContext(call.context),
    Exten: checkedExtension(call.exten),
    Priority: '1',
  });
}

/** Lets the device take the call that rings on a channel (app_directed_pickup.c). Throws `Failure` `invalid-target`. */
function takeCall(call: Ring, channel: ChannelId): AmiAction {
  return ring(call, { Application: 'PickupChan', Data: checkedChannel(channel) });
}

// app_chanspy.c: q no beep, E ends with the call it listens to, S ends where that call is gone already,
// w speaks to the channel alone, B to both.
const spyOptions: Readonly<Record<ListenMode, string>> = { listen: 'qES', whisper: 'qESw', barge: 'qESB' };

/** Lets the device join the call of a channel. Throws `Failure` `invalid-target`. */
function joinCall(call: Ring, channel: ChannelId, mode: ListenMode): AmiAction {
  return ring(call, { Application: 'ChanSpy', Data: `${checkedChannel(channel)},${spyOptions[mode]}` });
}

/** How long an announcement's extension may take to answer, milliseconds. */
const ANNOUNCE_MS = 3000;

/** Lets an extension speak to both parties of a channel's call. Answered when it has begun. */
function speakInto(channel: ChannelId, context: string, exten: string): AmiAction {
  return action('Originate', {
    Channel: `Local/${checkedExtension(exten)}@${checkedContext(context)}/n`,
    Application: 'ChanSpy',
    Data: `${checkedChannel(channel)},${spyOptions.barge}`,
    Timeout: `${ANNOUNCE_MS}`,
    Async: 'false',
  });
}

function ring(call: Ring, destination: Readonly<Record<string, string>>): AmiAction {
  if (!(Number.isInteger(call.ringMs) && call.ringMs >= 1000 && call.ringMs <= 600_000)) {
    fail('invalid-target', 'A device may ring for 1 to 600 seconds.');
  }
  return action('Originate', {
    Channel: checkedChannel(call.device),
    ...destination,
    CallerID: callerId(call.callerName, call.callerNumber),
    Timeout: `${call.ringMs}`,
    Async: 'true',
    // Becomes the channel's Uniqueid (manager.c action_originate).
    ChannelId: call.uniqueId,
  });
}

/**
 * The first that is heard of an originated channel: `true` once there is one, a Failure where there never will be. An
 * OriginateResponse before any channel is the answer to "accepted" that came too early.
 */
function begun(event: PbxEvent, uniqueId: string): true | Failure | undefined {
  if (event.type === 'channel-new' && event.channel.uniqueId === uniqueId) return true;
  if (event.type !== 'originate-response' || event.uniqueId !== uniqueId) return undefined;
  if (event.success) return true;
  return new Failure(
    'device-unavailable',
    'The telephone cannot be reached: switch it on or check its network.',
  );
}

/** The verbs that ring a device. */
export function ringVerbs(acting: Acting): Pick<Pbx, 'originate' | 'pickup' | 'listen' | 'announce'> {
  /**
   * Originates, and stays until the channel is there or known never to come. Where nothing is heard in time Asterisk's word
   * stands: the feed may be away.
   */
  async function start(sent: AmiAction, uniqueId: string): Promise<void> {
    const told = acting.watch.next((event) => begun(event, uniqueId), acting.beginMs);
    await told.after(acting.run(sent));
    const outcome = acting.hears ? await told.outcome : undefined;
    if (outcome instanceof Failure) throw outcome;
  }

  return {
    originate: async (call) => start(callExtension(call), call.uniqueId),
    pickup: async (call, channel) => start(takeCall(call, channel), call.uniqueId),
    listen: async (call, channel, mode) => start(joinCall(call, channel, mode), call.uniqueId),
    announce: async (channel, context, exten) => acting.run(speakInto(channel, context, exten)),
  };
}
