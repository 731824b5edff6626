/** What clients believe against what telephones show. */

import type { Clients } from '../clients.ts';
import type { Handling, Handset } from './telephones.ts';

/**
 * Sentences about every extension whose client shows something else than its telephone; empty where there is none. Of
 * those in `unsure` nobody can know who holds whom: no list of Asterisk tells hold, and it may have changed while the feed was away.
 */
export function differences(
  handsets: readonly Handset[],
  clients: Clients,
  unsure: ReadonlySet<string>,
): string[] {
  const byExtension = new Map(handsets.map((handset) => [handset.extension, handset]));
  return handsets.flatMap((handset) => {
    const { extension } = handset;
    const line = (call: Shown) => {
      const sure = !unsure.has(extension) && !unsure.has(call.number);
      return [
        call.state,
        call.outbound ? '->' : '<-',
        call.number,
        sure && call.held && 'held',
        sure && call.heldThere && 'held there',
      ]
        .filter(Boolean)
        .join(' ');
    };
    const shown = handset
      .calls()
      .filter(({ state }) => state !== 'calling')
      .map((call) => line(onDisplay(call, isHeldBy(byExtension.get(call.number), extension, call))))
      .sort();
    const believed = [...clients.at(extension).beliefs.values()]
      .map((belief) => line({ ...belief, heldThere: belief.remoteHeld }))
      .sort();
    if (shown.join() === believed.join()) return [];
    return [`${extension}: the telephone shows [${shown.join(', ')}], its client [${believed.join(', ')}]`];
  });
}

/** Extensions at either end of a call on hold. */
export function whoHolds(handsets: readonly Handset[]): string[] {
  return handsets.flatMap((handset) =>
    handset
      .calls()
      .filter(({ held }) => held)
      .flatMap(({ number }) => [handset.extension, number]),
  );
}

interface Shown {
  readonly state: string;
  readonly outbound: boolean;
  readonly number: string;
  readonly held: boolean;
  readonly heldThere: boolean;
}

function onDisplay(call: Handling, heldThere: boolean): Shown {
  return {
    state: call.state === 'connected' ? 'busy' : call.state,
    // Who picks a call up is called, whatever was dialed for it.
    outbound: !call.incoming && !call.dialed.startsWith('*8'),
    number: call.number,
    held: call.held,
    heldThere,
  };
}

/** Whether the other end of a call has pressed hold: its telephone knows. */
function isHeldBy(other: Handset | undefined, extension: string, call: Handling): boolean {
  if (other === undefined || call.state !== 'connected') return false;
  return other.calls().some((each) => each.state === 'connected' && each.number === extension && each.held);
}
