/** What clients believe against what telephones show. */

import type { Clients } from '../clients.ts';
import type { Handling, Handset } from './telephones.ts';

/**
 * Sentences about every extension whose client shows something else than its telephone; empty where there is none. Of
 * those in `unsure` nobody can know who holds whom, nor who called whom where a call began and was handed on while the feed
 * was away: no list of Asterisk tells.
 */
export function differences(
  handsets: readonly Handset[],
  clients: Clients,
  unsure: ReadonlySet<string>,
): string[] {
  const byExtension = new Map(handsets.map((handset) => [handset.extension, handset]));
  return handsets.flatMap((handset) => {
    const { extension } = handset;
    // Of several calls between the same two, displays do not tell which is which.
    const several = (number: string) =>
      number === extension || handset.calls().filter((call) => call.number === number).length > 1;
    const handedOn = new Set(
      handset
        .calls()
        .filter((call) => call.dialed !== '' && unsure.has(extension))
        .map((call) => ({ dialed: call.dialed, number: partner(handsets, handset, call) }))
        .filter(({ dialed, number }) => dialed.startsWith('*') || !dialed.endsWith(number))
        .map(({ number }) => number),
    );
    const line = (call: Shown) => {
      const sure = !unsure.has(extension) && !unsure.has(call.number) && !several(call.number);
      return [
        call.state,
        handedOn.has(call.number) ? '--' : call.outbound ? '->' : '<-',
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
      .map((call) => {
        const number = partner(handsets, handset, call);
        return line(onDisplay(call, number, isHeldBy(byExtension.get(number), extension, call)));
      })
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

/**
 * Whom a call is with, by what the telephones show together. COMPAT: where a transfer crosses a pickup, or hands a service on,
 * Asterisk leaves the old party on one display; the telephone at the other end shows whom it really talks to.
 */
function partner(handsets: readonly Handset[], handset: Handset, call: Handling): string {
  if (call.state !== 'connected') return call.number;
  const showing = handsets.filter((each) => shows(each, handset.extension, call));
  if (showing.some(({ extension }) => extension === call.number)) return call.number;
  const taken = new Set(handset.calls().map(({ number }) => number));
  const [only, ...more] = showing.filter(({ extension }) => !taken.has(extension));
  return only === undefined || more.length > 0 ? call.number : only.extension;
}

/** Whether a telephone shows a call with the extension, other than `call`. */
function shows(handset: Handset, extension: string, call: Handling): boolean {
  return handset
    .calls()
    .some((each) => each !== call && each.state === 'connected' && each.number === extension);
}

function onDisplay(call: Handling, number: string, heldThere: boolean): Shown {
  return {
    state: call.state === 'connected' ? 'busy' : call.state,
    // Who picks a call up is called, whatever was dialed for it.
    outbound: !call.incoming && !call.dialed.startsWith('*8'),
    number,
    held: call.held,
    heldThere,
  };
}

/** Whether the other end of a call has pressed hold: its telephone knows. */
function isHeldBy(other: Handset | undefined, extension: string, call: Handling): boolean {
  if (other === undefined || call.state !== 'connected') return false;
  return other
    .calls()
    .some((each) => each !== call && each.state === 'connected' && each.number === extension && each.held);
}
