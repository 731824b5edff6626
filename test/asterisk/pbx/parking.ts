import { type Bridge, destroyBridge, enter, leave } from './bridge.ts';
import { type Channel, connect, destroy, newExten, setState, snapshot } from './channel.ts';
import { lines } from './event.ts';
import type { Parked, Pbx } from './pbx.ts';
import { talk } from './talk.ts';

/** Spaces of the one lot, `default` (res_parking.conf: parkpos). */
const spaces = Array.from({ length: 20 }, (_, index) => `${701 + index}`);

/** Seconds until a parked call goes back. */
const timeout = 45;

/** Headers of a parked call, live or in a list. */
export function parkedLines(space: string, { channel, parker, since }: Parked): string {
  const waited = Math.floor((Date.now() - since) / 1000);
  return (
    snapshot(channel, 'Parkee') +
    lines([
      ['ParkerDialString', parker],
      ['Parkinglot', 'default'],
      ['ParkingSpace', space],
      ['ParkingTimeout', timeout - waited],
      ['ParkingDuration', waited],
    ])
  );
}

/** Parks a channel; whom it talked to stays in their bridge, alone (res/parking). Without a free space nothing happens. */
export function park(pbx: Pbx, channel: Channel, parker: string): void {
  const space = spaces.find((each) => !pbx.parked.has(each));
  if (space === undefined) return;
  const call: Parked = { channel, parker, since: Date.now() };
  pbx.parked.set(space, call);
  pbx.publish('ParkedCall', 'call', parkedLines(space, call));
  leave(pbx, channel);
  const lot: Bridge = {
    id: `parking-${space}`,
    type: 'parking',
    technology: 'holding_bridge',
    creator: 'Parking',
    name: 'default',
    channels: [],
    hidden: 0,
  };
  pbx.bridges.set(lot.id, lot);
  enter(pbx, lot, channel);
  const leaveLot = (event: string) => {
    cancel();
    pbx.parked.delete(space);
    pbx.publish(event, 'call', parkedLines(space, call));
    leave(pbx, channel);
    destroyBridge(pbx, lot);
  };
  const cancel = pbx.later(timeout * 1000, () => {
    leaveLot('ParkedCallTimeOut');
    destroy(pbx, channel, 16);
    pbx.settle();
  });
  channel.running = { interrupt: () => leaveLot('ParkedCallGiveUp') };
  pbx.settle();
}

/** The application behind a space's extension: takes the call out of the lot. */
export function retrieve(pbx: Pbx, retriever: Channel, space: string): void {
  const call = pbx.parked.get(space);
  if (call === undefined) return;
  const { channel } = call;
  newExten(pbx, retriever, 'ParkedCall', `default,${space}`);
  setState(pbx, retriever, 6);
  pbx.parked.delete(space);
  pbx.publish('UnParkedCall', 'call', parkedLines(space, call) + snapshot(retriever, 'Retriever'));
  const { bridge } = channel;
  leave(pbx, channel);
  if (bridge !== undefined) destroyBridge(pbx, bridge);
  connect(pbx, retriever, channel.callerId);
  connect(pbx, channel, retriever.callerId);
  channel.running = { interrupt() {} };
  retriever.running = { interrupt() {} };
  talk(pbx, retriever, channel, () => {});
}
