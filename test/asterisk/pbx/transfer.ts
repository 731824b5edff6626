import { bridgeLines, destroyBridge, leave, peerOf } from './bridge.ts';
import { type Channel, channelEvent, destroy, snapshot } from './channel.ts';
import { exists, run } from './dialplan.ts';
import type { Pbx } from './pbx.ts';
import { part, wrapUp } from './talk.ts';

/** Outcome of a transfer, as `ast_transfer_result` (include/asterisk/bridge.h). */
export type TransferResult = 'success' | 'invalid' | 'fail';

/**
 * Blind transfer by REFER, DTMF or AMI: the transferer's peer goes on to `exten`. A transfer to nowhere fails without
 * an event and the conversation goes on.
 */
export function blindTransfer(pbx: Pbx, transferer: Channel, context: string, exten: string): TransferResult {
  const transferee = peerOf(transferer);
  const { bridge } = transferer;
  if (transferee === undefined || bridge === undefined) return 'invalid';
  if (!exists(pbx, context, exten)) return 'fail';

  transferer.holding = false;
  channelEvent(pbx, 'Unhold', transferer);
  pbx.publish(
    'BlindTransfer',
    'call',
    `Result: Success\r\n${snapshot(transferer, 'Transferer')}${snapshot(transferee, 'Transferee')}` +
      `${bridgeLines(bridge)}IsExternal: Yes\r\nContext: ${context}\r\nExtension: ${exten}\r\n`,
  );
  leave(pbx, transferer);
  wrapUp(pbx, transferer, 'transfer');
  destroy(pbx, transferer, 16);
  pbx.settle();
  goTo(transferee, context, exten);
  leave(pbx, transferee);
  destroyBridge(pbx, bridge);
  transferee.running?.talked?.('transfer');
  transferee.running = undefined;
  run(pbx, transferee);
  return 'success';
}

/** AMI Redirect: the channel leaves what it does and goes on at `exten`; who was with it is hung up. */
export function redirect(pbx: Pbx, channel: Channel, context: string, exten: string): void {
  goTo(channel, context, exten);
  if (channel.bridge !== undefined && peerOf(channel) !== undefined) {
    const peer = part(pbx, channel);
    channel.running?.talked?.('transfer');
    channel.running = undefined;
    if (peer !== undefined) {
      wrapUp(pbx, peer, 'transfer');
      destroy(pbx, peer, 16);
      pbx.settle();
    }
  } else {
    const { running } = channel;
    channel.running = undefined;
    running?.interrupt('redirect', 16);
  }
  run(pbx, channel);
}

/** AMI Redirect of both channels of a conversation: both leave it, and each goes on at its own extension. */
export function redirectBoth(
  pbx: Pbx,
  channel: Channel,
  extra: Channel,
  to: Destination,
  extraTo: Destination,
): void {
  if (peerOf(channel) !== extra) {
    redirect(pbx, channel, to.context, to.exten);
    redirect(pbx, extra, extraTo.context, extraTo.exten);
    return;
  }
  goTo(channel, to.context, to.exten);
  goTo(extra, extraTo.context, extraTo.exten);
  part(pbx, channel);
  for (const one of [channel, extra]) {
    one.running?.talked?.('transfer');
    one.running = undefined;
  }
  run(pbx, channel);
  run(pbx, extra);
}

/** Where a Redirect sends a channel. */
export interface Destination {
  readonly context: string;
  readonly exten: string;
}

function goTo(channel: Channel, context: string, exten: string): void {
  channel.context = context;
  channel.exten = exten;
  channel.priority = 1;
}
