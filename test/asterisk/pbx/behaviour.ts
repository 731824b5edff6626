import type { Channel } from './channel.ts';
import type { Pbx } from './pbx.ts';

/** Lets a telephone that has begun to ring do what its behaviour says. */
export function behave(pbx: Pbx, channel: Channel): void {
  const { behaviour } = channel.line;
  if (behaviour === 'ring') return;
  // Even without a delay a telephone acts after the PBX has finished its own step.
  if (behaviour === 'busy') pbx.later(0, () => channel.ringing?.refused(17, 486, true));
  else if (behaviour === 'decline') pbx.later(0, () => channel.ringing?.refused(21, 603, true));
  else if ('answer' in behaviour) pbx.later(behaviour.answer, () => channel.ringing?.answered());
  else pbx.later(behaviour.noanswer, () => channel.ringing?.timedOut());
}
