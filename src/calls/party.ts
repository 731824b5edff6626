/** Who the other party of a call is. Asterisk says it on the connected line, mostly; what it leaves out is found here. */

import { facing, talkingTo } from './across.ts';
import type { Party } from './changes.ts';
import { type Call, type Leg, nobody, party, sameParty } from './leg.ts';
import type { World } from './world.ts';

/**
 * Finds out who the other party is now, and notes it. True where that is another one than before, or has another name; a
 * caller whose call rings at the number that was dialled and who learns the name to it has nothing to be told.
 */
export function learnOther(leg: Leg, call: Call): boolean {
  const ref = facing(leg);
  const other = otherParty(leg, call, ref);
  const renamed = !sameParty(other, call.other);
  if (ref !== undefined) {
    // Somebody wrote another name on a line that goes on to the same channel: it is that name's call now.
    const moved = ref !== call.ref;
    const relabeled = renamed && !moved && call.phase !== 'new' && other.number !== ref.caller.number;
    call.ref = ref;
    call.refChannel = ref.name;
    if (renamed || moved || call.otherDevice === '')
      call.otherDevice = relabeled ? '' : (ref.call?.device ?? '');
  } else if (renamed) {
    call.ref = undefined;
    call.refChannel = '';
    call.otherDevice = '';
  }
  const named = call.other.name === '' && call.other.number === other.number;
  call.other = other;
  return renamed && !(named && call.outbound && call.phase !== 'busy');
}

function otherParty(leg: Leg, call: Call, ref: Leg | undefined): Party {
  const other = signaledParty(leg, call, ref);
  // Originate writes the caller's own name on the line, and a call to the outside changes the number only (dial.c).
  return call.origin && other.name === leg.caller.name ? party(other.number, '') : other;
}

function signaledParty(leg: Leg, call: Call, ref: Leg | undefined): Party {
  if (isKnown(leg.connected, call)) return leg.connected;
  if (ref !== undefined && ref.caller !== nobody && talkingTo(leg) === ref && ref.state === 'up')
    return ref.caller;
  if (!call.outbound) return call.other;
  if (call.origin && leg.state !== 'up')
    return call.other.number === '' ? party(call.dialed, '') : call.other;
  // The extension of a channel that was dialled is its caller's.
  const dialed = call.dialed || (leg.exten === 's' || leg.dialedBy !== undefined ? '' : leg.exten);
  if (call.other.number !== '' && call.phase !== 'new') return named(call.other, ref);
  if (ref !== undefined && (dialed === '' || ref.caller.number === dialed)) return ref.caller;
  return dialed === '' ? call.other : party(dialed, '');
}

/** The party with the name that its own channel bears. */
function named(other: Party, ref: Leg | undefined): Party {
  return other.name === '' && ref?.caller.number === other.number ? ref.caller : other;
}

/** Whether the connected line tells who the other party is. */
export function isKnown(connected: Party, call: Call): boolean {
  // By identity: a line that changed and came back is news.
  return connected !== nobody && connected !== call.stale;
}

/**
 * Sees whether the connected line belongs to the one the leg talks to now. Transfers bring it up to date; joining two
 * channels by hand does not, and a consulting call that is given up does so late.
 */
export function noteTalk(leg: Leg, call: Call, far: Leg): void {
  const begins = !call.talks || call.talked !== far;
  if (begins && call.talked !== undefined) {
    const same = far === call.talked;
    const kept = sameParty(leg.connected, call.talkedAs);
    if (same !== kept && leg.connected.number !== far.caller.number) call.stale = leg.connected;
  }
  call.talks = true;
  call.talked = far;
  call.talkedAs = leg.connected;
}

/** Who sent the call here: whoever transferred or deflected it, or the user whose number was dialled and led elsewhere. */
export function forwarder(world: World, leg: Leg, call: Call): Party {
  if (call.outbound) return nobody;
  if (leg.group.from !== undefined) return leg.group.from;
  const half = leg.dialedBy?.half;
  if (half === undefined || half.group.queue !== '') return nobody;
  const dialed = half.dialedBy === undefined ? undialed(half) : half.dialExten;
  if (dialed === '' || dialed === leg.caller.number) return nobody;
  return world.extension(dialed) ?? nobody;
}

/**
 * What was dialled by whoever dials this half of a Local channel: its other half runs in a thread of its own, and may ring a telephone
 * before DialBegin has told. Until then it is the one who began the call.
 */
function undialed(half: Leg): string {
  const { root } = half.group;
  return root === undefined || root.local || root.room !== undefined ? '' : root.exten;
}
