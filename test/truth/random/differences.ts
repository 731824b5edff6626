/** What clients believe against what telephones show. */

import type { Clients } from '../clients.ts';
import type { Handling, Handset } from './telephones.ts';

/** Sentences about every extension whose client shows something else than its telephone; empty where there is none. */
export function differences(handsets: readonly Handset[], clients: Clients): string[] {
  const byExtension = new Map(handsets.map((handset) => [handset.extension, handset]));
  return handsets.flatMap((handset) => {
    const { extension } = handset;
    const shown = handset
      .calls()
      .filter(({ state }) => state !== 'calling')
      .map((call) => line(call, isHeldBy(byExtension.get(call.number), extension, call)))
      .sort();
    const believed = [...clients.at(extension).beliefs.values()]
      .map(({ state, outbound, number, held, remoteHeld }) =>
        [state, outbound ? '->' : '<-', number, held && 'held', remoteHeld && 'held there']
          .filter(Boolean)
          .join(' '),
      )
      .sort();
    if (shown.join() === believed.join()) return [];
    return [`${extension}: the telephone shows [${shown.join(', ')}], its client [${believed.join(', ')}]`];
  });
}

function line(call: Handling, heldThere: boolean): string {
  const state = call.state === 'connected' ? 'busy' : call.state;
  // Who picks a call up is called, whatever was dialed for it.
  const outbound = !call.incoming && !call.dialed.startsWith('*8');
  return [state, outbound ? '->' : '<-', call.number, call.held && 'held', heldThere && 'held there']
    .filter(Boolean)
    .join(' ');
}

/** Whether the other end of a call has pressed hold: its telephone knows. */
function isHeldBy(other: Handset | undefined, extension: string, call: Handling): boolean {
  if (other === undefined || call.state !== 'connected') return false;
  return other.calls().some((each) => each.state === 'connected' && each.number === extension && each.held);
}
