import { type Channel, destroy, snapshot, softHangupRequest } from './channel.ts';
import type { Pbx } from './pbx.ts';

/** Application ChanSpy with options E and S: ends with the call it listens to, at once where there is none (apps/app_chanspy.c). */
export function spy(pbx: Pbx, spyer: Channel, data: string): void {
  const [name = ''] = data.split(',');
  const spyee = pbx.channels.get(name);
  if (spyee === undefined) {
    destroy(pbx, spyer, 0);
    pbx.settle();
    return;
  }
  pbx.publish('ChanSpyStart', 'call', `${snapshot(spyer, 'Spyer')}${snapshot(spyee, 'Spyee')}`);
  let stopped = false;
  const before = spyee.onGone;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    pbx.publish('ChanSpyStop', 'call', `${snapshot(spyer, 'Spyer')}${snapshot(spyee, 'Spyee')}`);
  };
  spyee.onGone = () => {
    before?.();
    if (spyer.gone) return;
    stop();
    spyer.running = undefined;
    softHangupRequest(pbx, spyer);
    destroy(pbx, spyer, 0);
    pbx.settle();
  };
  spyer.running = { interrupt: stop };
}
