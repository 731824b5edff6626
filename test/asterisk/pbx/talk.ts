import { createBridge, destroyBridge, enter, joined, leave, peerOf, peerVariables } from './bridge.ts';
import {
  type Channel,
  channelEvent,
  destroy,
  hangupRequest,
  newExten,
  softHangupRequest,
} from './channel.ts';
import { qualityVariables } from './noise.ts';
import type { Pbx } from './pbx.ts';

/** Two channels begin to talk; the callee enters first. `between` runs after the bridge is there. */
export function talk(pbx: Pbx, caller: Channel, callee: Channel, between: () => void): void {
  const bridge = createBridge(pbx);
  between();
  enter(pbx, bridge, callee);
  enter(pbx, bridge, caller);
  joined(pbx, bridge);
  pbx.settle();
}

/** Takes both channels of a conversation out of their bridge, `first` first. Returns the other one. */
export function part(pbx: Pbx, first: Channel): Channel | undefined {
  const { bridge } = first;
  const peer = peerOf(first);
  if (bridge === undefined) return undefined;
  for (const channel of peer === undefined ? [first] : [first, peer]) peerVariables(pbx, channel, '', '');
  leave(pbx, first);
  if (peer !== undefined) leave(pbx, peer);
  destroyBridge(pbx, bridge);
  return peer;
}

/** A channel in the dialplan, whose conversation is over, is told to end. */
export function wrapUp(pbx: Pbx, channel: Channel, by: Channel | 'transfer'): void {
  if (channel.running === undefined) return;
  channel.running.talked?.(by);
  channel.running = undefined;
  softHangupRequest(pbx, channel);
}

/**
 * The dialplan of a channel is over: the application Hangup and the end of the channel.
 * `cause` is the Q.850 cause left by what ran before.
 */
export function finish(pbx: Pbx, channel: Channel, cause = 16, techCause?: number): void {
  channel.priority += 1;
  channel.running = undefined;
  newExten(pbx, channel, 'Hangup');
  softHangupRequest(pbx, channel);
  destroy(pbx, channel, cause, techCause);
  pbx.settle();
}

/**
 * Ends a channel from outside. `phone`: its telephone hung up; `manager`: an AMI Hangup, which sends no
 * HangupRequest. What hangs on it ends with it: the peer in a conversation, the legs of a Dial.
 */
export function hangup(
  pbx: Pbx,
  channel: Channel,
  by: 'phone' | 'manager',
  cause?: number,
  techCause?: number,
): void {
  if (channel.gone) return;
  if (channel.consultation !== undefined) {
    channel.consultation.complete(by);
  } else if (channel.ringing !== undefined) {
    if (by === 'phone') channel.ringing.refused(cause ?? 21, cause === undefined ? 603 : techCause, true);
    else channel.ringing.refused(cause ?? 16, techCause, false);
  } else if (peerOf(channel) !== undefined) {
    endTalk(pbx, channel, by, cause ?? 16);
  } else {
    endApplication(pbx, channel, by, cause);
  }
  pbx.settle();
}

function endTalk(pbx: Pbx, channel: Channel, by: 'phone' | 'manager', cause: number): void {
  const peer = peerOf(channel);
  qualityVariables(pbx, channel);
  if (peer !== undefined) qualityVariables(pbx, channel, 'BRIDGED', peer);
  if (by === 'phone') hangupRequest(pbx, channel, 16);
  part(pbx, channel);
  wrapUp(pbx, channel, channel);
  if (peer !== undefined) wrapUp(pbx, peer, channel);
  destroy(pbx, channel, cause);
  pbx.settle();
  if (peer === undefined) return;
  qualityVariables(pbx, peer);
  destroy(pbx, peer, cause);
}

function endApplication(
  pbx: Pbx,
  channel: Channel,
  by: 'phone' | 'manager',
  asked: number | undefined,
): void {
  // A caller that gives up while it rings: SIP CANCEL, which chan_pjsip maps to 487 and cause 127.
  const cancelled = by === 'phone' && channel.state === 4;
  const cause = asked ?? (cancelled ? 127 : 16);
  const techCause = cancelled ? 487 : undefined;
  if (by === 'phone') hangupRequest(pbx, channel, cause, techCause);
  channel.running?.interrupt('hangup', cause);
  if (channel.gone) return;
  leaveAlone(pbx, channel);
  softHangupRequest(pbx, channel, techCause);
  destroy(pbx, channel, cause, techCause);
}

/** Takes a channel out of a bridge in which it was left alone. */
function leaveAlone(pbx: Pbx, channel: Channel): void {
  const { bridge } = channel;
  if (bridge === undefined) return;
  leave(pbx, channel);
  if (bridge.channels.length === 0) destroyBridge(pbx, bridge);
}

/** Hold or unhold by the telephone; the other end hears music. */
export function setHold(pbx: Pbx, channel: Channel, holding: boolean): void {
  if (channel.holding === holding) return;
  channel.holding = holding;
  channelEvent(pbx, holding ? 'Hold' : 'Unhold', channel, holding ? 'MusicClass: default\r\n' : '');
  const peer = peerOf(channel);
  if (peer !== undefined) {
    channelEvent(
      pbx,
      holding ? 'MusicOnHoldStart' : 'MusicOnHoldStop',
      peer,
      holding ? 'Class: default\r\n' : '',
    );
    pbx.touch(peer.line.endpoint);
  }
  pbx.settle();
}
