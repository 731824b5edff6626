/** Originate: a device rings first, and what it is connected with then is decided here, never by a client. */

import { type Bounded, createBound } from '../bounds.ts';
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

// causes.h
const AST_CAUSE_NORMAL_CLEARING = 16;
const AST_CAUSE_ANSWERED_ELSEWHERE = 26;

/** Telephones at a time that are kept from ringing for a call that is gone: each looks at every event while it rings. */
const maxFollowed = 100;

/** What became of a call that a telephone is rung to take. */
interface Fate {
  readonly taker: ChannelId;
  /** Why that telephone need not ring any more; undefined where it has answered, or rings no more itself. */
  readonly cause: number | undefined;
}

/** Sees how it ends: with the answer of the channel that takes the call, or with the call being somebody else's, or nobody's. */
function fateOf(takerId: string, rung: ChannelId): (event: PbxEvent) => Fate | undefined {
  let taker: ChannelId | undefined;
  let lost: number | undefined;
  return (event) => {
    switch (event.type) {
      case 'channel-new':
        if (event.channel.uniqueId === takerId) taker = event.channel.name;
        break;
      case 'channel-update':
        if (event.channel.uniqueId === takerId && event.channel.state === 'up')
          return { taker: event.channel.name, cause: undefined };
        if (event.channel.name === rung && event.channel.state === 'up') lost = AST_CAUSE_ANSWERED_ELSEWHERE;
        break;
      case 'pickup':
        if (event.target.name === rung) lost = AST_CAUSE_ANSWERED_ELSEWHERE;
        break;
      case 'hangup':
        if (event.channel.uniqueId === takerId) return { taker: event.channel.name, cause: undefined };
        if (event.channel.name === rung)
          lost ??= event.cause === AST_CAUSE_ANSWERED_ELSEWHERE ? event.cause : AST_CAUSE_NORMAL_CLEARING;
        break;
      default:
        return undefined;
    }
    return taker === undefined || lost === undefined ? undefined : { taker, cause: lost };
  };
}

/** The verbs that ring a device. */
export function ringVerbs(
  acting: Acting,
): Pick<Pbx, 'originate' | 'pickup' | 'listen' | 'announce'> & Bounded {
  let followed = 0;
  const bound = createBound('pickups', maxFollowed, () => followed);

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

  /**
   * Lets the device ring no longer than the call that it is to take: Asterisk would let it ring on for nobody. Where too many are
   * followed already the telephone rings on, and the call is found gone when it is answered.
   */
  function followTaken(call: Ring, rung: ChannelId): { give(): void } | undefined {
    if (!bound.admits()) return undefined;
    followed += 1;
    const told = acting.watch.next(fateOf(call.uniqueId, rung), call.ringMs + acting.beginMs);
    void told.outcome.then(async (fate) => {
      followed -= 1;
      if (fate === undefined || fate.cause === undefined) return;
      const headers = { Channel: checkedChannel(fate.taker), Cause: String(fate.cause) };
      await acting.run(action('Hangup', headers)).catch((error: unknown) => {
        acting.log.debug({ reason: String(error) }, 'a telephone rings on for a call that is gone');
      });
    });
    return { give: told.give };
  }

  return {
    bounds: [bound],
    originate: async (call) => start(callExtension(call), call.uniqueId),
    async pickup(call, channel) {
      const sent = takeCall(call, channel);
      const over = followTaken(call, channel);
      try {
        await start(sent, call.uniqueId);
      } catch (error) {
        over?.give();
        throw error;
      }
    },
    listen: async (call, channel, mode) => start(joinCall(call, channel, mode), call.uniqueId),
    announce: async (channel, context, exten) => acting.run(speakInto(channel, context, exten)),
  };
}
