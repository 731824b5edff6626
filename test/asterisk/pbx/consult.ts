import { type Bridge, bridgeLines, createBridge, destroyBridge, enter, leave, peerOf } from './bridge.ts';
import {
  type Channel,
  channelEvent,
  connect,
  destroy,
  hangupRequest,
  setVariable,
  snapshot,
} from './channel.ts';
import { run } from './dialplan.ts';
import { createLocal, type Local } from './local.ts';
import type { Pbx } from './pbx.ts';
import { setHold } from './talk.ts';

/**
 * Attended transfer by the feature (main/bridge_basic.c): the transferer moves into a second bridge with a Local channel that
 * dials the target, its peer waits in the first. Call it only for one of two who talk, and for an extension that exists.
 */
export function consult(pbx: Pbx, transferer: Channel, context: string, exten: string): void {
  const first = transferer.bridge;
  const transferee = peerOf(transferer);
  if (first === undefined || transferee === undefined) return;
  // Said again of who has pressed hold already.
  if (transferer.holding) channelEvent(pbx, 'Hold', transferer, 'MusicClass: default\r\n');
  else setHold(pbx, transferer, true);
  const local = createLocal(pbx, {
    exten,
    context,
    linkedid: transferer.linkedid,
    callerId: transferer.callerId,
  });
  const { one, two } = local;
  setVariable(pbx, one, 'TRANSFERERNAME', transferer.name);
  setVariable(pbx, two, 'TRANSFERERNAME', transferer.name);
  const second = createBridge(pbx);
  connect(pbx, one, transferer.callerId);
  enter(pbx, second, one);
  leave(pbx, transferer);
  transferer.holding = true;
  enter(pbx, second, transferer);
  connect(pbx, transferer, undefined);

  const endOfTransferee = transferee.onGone;
  const over = () => {
    transferer.consultation = undefined;
    transferee.onGone = endOfTransferee;
    two.onGone = undefined;
  };
  transferer.consultation = {
    cancel() {
      over();
      giveBack(pbx, transferer, transferee, first, second, local);
    },
    complete(by) {
      over();
      complete(pbx, transferer, transferee, first, second, local, by);
    },
  };
  // The target declined or gave up.
  two.onGone = () => transferer.consultation?.cancel();
  // The one who waits gave up: what is left is a call like any other.
  transferee.onGone = () => {
    over();
    endOfTransferee?.();
    two.onGone = () => endHalf(pbx, one, transferer);
    one.onGone = () => {
      two.onGone = undefined;
      endDialing(pbx, two);
    };
  };
  run(pbx, two);
  if (!two.gone) connect(pbx, transferer, two.connected);
}

function giveBack(
  pbx: Pbx,
  transferer: Channel,
  transferee: Channel,
  first: Bridge,
  second: Bridge,
  { one, two }: Local,
): void {
  leave(pbx, transferer);
  enter(pbx, first, transferer);
  transferer.holding = false;
  channelEvent(pbx, 'Unhold', transferer);
  leave(pbx, one);
  destroyBridge(pbx, second);
  destroy(pbx, one, 16);
  endDialing(pbx, two);
  channelEvent(pbx, 'MusicOnHoldStop', transferee, 'Class: default\r\n');
  connect(pbx, transferer, transferee.callerId);
  pbx.settle();
}

/** Ends the half in the dialplan with whom it rings or talks to. */
function endDialing(pbx: Pbx, two: Channel): void {
  if (two.gone) return;
  two.running?.interrupt('hangup', 16);
  const { bridge } = two;
  const target = peerOf(two);
  if (bridge !== undefined) {
    leave(pbx, two);
    if (target !== undefined) leave(pbx, target);
    destroyBridge(pbx, bridge);
  }
  destroy(pbx, two, 16);
  if (target !== undefined) destroy(pbx, target, 16);
}

function complete(
  pbx: Pbx,
  transferer: Channel,
  transferee: Channel,
  first: Bridge,
  second: Bridge,
  local: Local,
  by: 'phone' | 'manager',
): void {
  const { one, two } = local;
  if (by === 'phone') hangupRequest(pbx, transferer, 16);
  leave(pbx, transferer);
  pbx.publish('BridgeMerge', 'call', prefixed('To', first) + prefixed('From', second));
  leave(pbx, one);
  enter(pbx, first, one);
  channelEvent(pbx, 'MusicOnHoldStop', transferee, 'Class: default\r\n');
  pbx.publish(
    'AttendedTransfer',
    'call',
    `Result: Success\r\n${snapshot(transferer, 'OrigTransferer')}${prefixed('Orig', first)}` +
      `${snapshot(transferer, 'SecondTransferer')}${prefixed('Second', second)}${snapshot(transferee, 'Transferee')}` +
      `${snapshot(one, 'TransferTarget')}IsExternal: No\r\nDestType: Bridge\r\nDestBridgeUniqueid: ${first.id}\r\n`,
  );
  destroyBridge(pbx, second);
  connect(pbx, transferee, two.connected);
  connect(pbx, one, transferee.callerId);
  destroy(pbx, transferer, 16);
  pbx.settle();
  if (peerOf(two) !== undefined) optimize(pbx, transferee, first, local);
  else {
    // The target still rings: the one who waits is connected when it answers, and left alone when it does not.
    const stop = watchAnswer(pbx, two, () => optimize(pbx, transferee, first, local));
    two.onGone = () => {
      stop();
      endHalf(pbx, one, transferee);
    };
  }
}

/** Calls `answered` once the half in the dialplan talks to somebody. */
function watchAnswer(pbx: Pbx, two: Channel, answered: () => void): () => void {
  let cancel = () => {};
  const look = () => {
    if (two.gone) return;
    if (peerOf(two) !== undefined) answered();
    else cancel = pbx.later(2, look);
  };
  look();
  return () => cancel();
}

/** The Local channel goes, and the one who waited takes its place at the target (core_unreal.c, bridge.c). */
function optimize(pbx: Pbx, transferee: Channel, first: Bridge, { one, two }: Local): void {
  const { bridge } = two;
  const target = peerOf(two);
  if (bridge === undefined || target === undefined || transferee.gone) return;
  const halves = `${snapshot(one, 'LocalOne')}${snapshot(two, 'LocalTwo')}`;
  connect(pbx, target, transferee.callerId);
  pbx.publish('LocalOptimizationBegin', 'call', `${halves}${snapshot(transferee, 'Source')}Id: 0\r\n`);
  leave(pbx, transferee);
  leave(pbx, two);
  enter(pbx, bridge, transferee);
  pbx.publish('LocalOptimizationEnd', 'call', `${halves}Success: Yes\r\nId: 0\r\n`);
  leave(pbx, one);
  two.onGone = undefined;
  two.running = undefined;
  destroy(pbx, one, 16);
  destroyBridge(pbx, first);
  destroy(pbx, two, 16);
  pbx.settle();
}

/** The call through a Local channel is over on its far side: so is its near side, and who talks there. */
function endHalf(pbx: Pbx, one: Channel, talker: Channel): void {
  const { bridge } = one;
  if (bridge !== undefined) {
    leave(pbx, one);
    if (talker.bridge === bridge) leave(pbx, talker);
    destroyBridge(pbx, bridge);
  }
  destroy(pbx, one, 16);
  talker.running = undefined;
  destroy(pbx, talker, 16);
  pbx.settle();
}

function prefixed(prefix: string, bridge: Bridge): string {
  return bridgeLines(bridge).replace(/^Bridge/gm, `${prefix}Bridge`);
}
