/** Who is at the other side of a leg: through bridges, dials and Local channels, however many lie between. */

import type { Leg, Room } from './leg.ts';

// Local channels can be chained; a chain longer than this is a loop in a dialplan.
const hops = 16;

/** Bridges with more members are conferences, whatever they are called: nobody in them has "the" other party. */
const crowd = 4;

/** Whether a bridge is one in which two parties talk, not a conference or a place to wait. */
export function isTalk(room: Room): boolean {
  return room.type !== 'base' && !isWaiting(room) && room.members.size <= crowd;
}

/** Whether nobody in the bridge talks: parking lots and other holding bridges. */
function isWaiting(room: Room): boolean {
  return room.type === 'parking' || room.type === 'holding';
}

/** Whether the bridge is a conference: ConfBridge makes bridges of type `base`. */
export function isConference(room: Room): boolean {
  return !isWaiting(room) && !isTalk(room);
}

/** The real channel that this one talks to; undefined while it talks to nobody. */
export function talkingTo(leg: Leg): Leg | undefined {
  return walk(leg, false);
}

/** The real channel at the other side: talked to, rung by this one, or the one that rings this one. */
export function facing(leg: Leg): Leg | undefined {
  return walk(leg, true);
}

function walk(leg: Leg, ringing: boolean): Leg | undefined {
  let here = leg;
  for (let hop = 0; hop < hops; hop++) {
    const next = peer(here) ?? (ringing ? (rung(here) ?? ringer(here)) : undefined);
    if (next === undefined) return undefined;
    if (!next.local) return next === leg ? undefined : next;
    if (next.half === undefined) return undefined;
    here = next.half;
  }
  return undefined;
}

/** The half of a Local channel that the leg is bridged with ends in this one: what runs there, runs for the leg. */
export function lastHalf(leg: Leg): Leg | undefined {
  let here = leg;
  for (let hop = 0; hop < hops; hop++) {
    const next = peer(here);
    if (next === undefined) return here === leg ? undefined : here;
    if (!next.local || next.half === undefined) return undefined;
    here = next.half;
  }
  return undefined;
}

function peer(leg: Leg): Leg | undefined {
  const room = leg.room;
  if (room === undefined || !isTalk(room)) return undefined;
  for (const member of room.members) if (member !== leg) return member;
  return undefined;
}

/** The one channel that this caller rings; undefined where it rings none or several. */
function rung(leg: Leg): Leg | undefined {
  let only: Leg | undefined;
  for (const dest of leg.dials) {
    if (dest.dialStatus !== '') continue;
    if (only !== undefined) return undefined;
    only = dest;
  }
  return only;
}

function ringer(leg: Leg): Leg | undefined {
  return leg.dialStatus === '' ? (leg.dialedBy ?? presumed(leg)) : undefined;
}

/**
 * A telephone often rings before DialBegin tells for whom. Until then it is the one who began the call, if it shows that
 * one's number: in a transfer the one who calls now is another.
 */
function presumed(leg: Leg): Leg | undefined {
  const root = leg.group.root;
  if (leg.call === undefined || leg.call.outbound || leg.state === 'up') return undefined;
  return root !== undefined && root !== leg && root.caller.number === leg.connected.number ? root : undefined;
}

/** Whether a Dial or Queue on this leg rings a real channel, directly or through Local channels. */
export function ringsSomebody(leg: Leg, hop = 0): boolean {
  for (const dest of leg.dials) {
    if (dest.dialStatus !== '') continue;
    if (!dest.local || dest.state === 'ringing') return true;
    if (dest.half !== undefined && hop < hops && ringsSomebody(dest.half, hop + 1)) return true;
  }
  return false;
}
