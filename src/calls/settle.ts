/** Compares what is with what a user was told, and tells the difference. The only place where channels' changes are made. */

import { facing, isConference, lastHalf, ringsSomebody, talkingTo } from './across.ts';
import type { ChannelEventType, ChannelView, TransferRole } from './changes.ts';
import { type Call, type Leg, nobody, party } from './leg.ts';
import { cease, offer } from './offer.ts';
import { forwarder, isKnown, learnOther, noteTalk } from './party.ts';
import { someService } from './services.ts';
import type { World } from './world.ts';

/** Settles a leg and whoever is at its other sides: what happened to one may be news to them. */
export function settleAround(world: World, leg: Leg): void {
  settle(world, leg);
  const other = facing(leg);
  if (other !== undefined) settle(world, other);
  const beyond = leg.half === undefined ? undefined : facing(leg.half);
  if (beyond !== undefined && beyond !== leg) settle(world, beyond);
  if (leg.room !== undefined && leg.room.members.size > 2 && leg.room.members.size < 5) {
    for (const member of leg.room.members) if (member !== leg && member !== other) settle(world, member);
  }
}

/** Tells the user of a leg what is new: that it rings, that it talks, with whom, and who holds whom. */
export function settle(world: World, leg: Leg): void {
  const call = leg.call;
  if (call === undefined || call.hidden) return;
  const far = talkingTo(leg);
  const talks = far !== undefined && leg.state === 'up' && far.state === 'up';
  const service = talks ? '' : serviceOf(world, leg, call);
  if (talks) leg.service = '';
  if (call.phase === 'new' && !talks && service === '' && rings(leg, call)) {
    ring(world, leg, call);
    // One that is rung to take a call has none of its own to be picked up.
    if (!call.outbound && !call.origin) offer(world, leg, call);
  }
  if (call.phase !== 'busy' && (talks || service !== '')) {
    answer(world, leg, call, service);
    return;
  }
  if (call.phase === 'new') return;
  if (talks) {
    call.service = '';
    noteTalk(leg, call, far);
  } else {
    call.talks = false;
  }
  const waits = call.service !== '';
  if (service !== '' && service !== call.service && call.phase === 'busy')
    enterService(world, leg, call, service);
  else if (!waits && learnOther(leg, call)) tell(world, leg, call, 'rename', '');
  if (call.phase === 'busy') settleHold(world, leg, call, talks ? far : undefined, service);
}

/** Tells that the call rings: here, or at the far end. */
export function ring(world: World, leg: Leg, call: Call): void {
  learnOther(leg, call);
  call.phase = 'ringing';
  tell(world, leg, call, 'ringing', call.outbound ? '' : call.queue);
}

/** Tells that the call is answered, by a person where `service` is empty. */
export function answer(world: World, leg: Leg, call: Call, service: string): void {
  cease(world, call);
  // With a service the other party is what was dialled, whatever the connected line still says.
  if (service === '' && learnOther(leg, call) && call.phase === 'ringing')
    tell(world, leg, call, 'rename', '');
  call.phase = 'busy';
  call.busySince = call.upSince || world.at;
  call.service = service;
  tell(world, leg, call, 'busy', service === '' && !call.outbound ? call.queue : service);
  const far = service === '' ? talkingTo(leg) : undefined;
  if (far !== undefined) noteTalk(leg, call, far);
  settleHold(world, leg, call, far, service);
}

/** A talking channel went to a service: the number it was sent to is what it is connected with now. */
function enterService(world: World, leg: Leg, call: Call, service: string): void {
  const moved = call.service === '' && leg.exten !== '' && leg.exten !== 's';
  call.service = service;
  if (moved) call.other = party(leg.exten, '');
  call.ref = undefined;
  call.refChannel = '';
  call.otherDevice = '';
  tell(world, leg, call, 'rename', service);
}

function settleHold(world: World, leg: Leg, call: Call, far: Leg | undefined, service: string): void {
  if (call.held !== leg.held) {
    call.held = leg.held;
    tell(world, leg, call, leg.held ? 'hold' : 'unhold', leg.held ? '' : call.declined);
    call.declined = '';
  }
  // While the leg is alone the last word counts: a hangup during hold is no unhold. Where it goes on, the hold is over.
  const held =
    far === undefined ? call.remoteHeld && service === '' && !ringsSomebody(leg) : holds(world, far, leg);
  if (held === call.remoteHeld) return;
  call.remoteHeld = held;
  tell(world, leg, call, held ? 'hold' : 'unhold', 'remote');
}

/**
 * Whether a leg has this one on hold. Who pressed hold and was then transferred has still pressed it, and holds whoever
 * comes; who consults somebody on the same channel does not hold that one.
 */
function holds(world: World, holder: Leg, leg: Leg): boolean {
  if (!holder.held) return false;
  if (holder.holds === undefined || !world.legs.has(holder.holds.uniqueId)) holder.holds = leg;
  return holder.holds === leg;
}

function rings(leg: Leg, call: Call): boolean {
  if (!call.outbound) return leg.state === 'ringing';
  if (call.origin && (leg.state === 'ringing' || leg.state === 'up')) return true;
  if (leg.alerting) return true;
  if (!ringsSomebody(leg)) return false;
  // Dial tells the caller whom it rings where that is one; of a group it tells when one of them rings.
  return isKnown(leg.connected, call) || facing(leg)?.caller.number === call.dialed;
}

/** Token of the service that keeps the leg; empty while none does, or while that cannot be known yet. */
function serviceOf(world: World, leg: Leg, call: Call): string {
  if (leg.state !== 'up') return '';
  if (leg.room !== undefined) {
    if (isConference(leg.room)) return 'conference';
    const half = lastHalf(leg);
    return half?.state === 'up' ? half.service : '';
  }
  if (leg.service !== '') return leg.service;
  return call.phase !== 'busy' && isAnsweredByNobody(leg, call)
    ? world.serviceAt(leg.exten) || someService
    : '';
}

/**
 * A caller is up and nobody was brought to it. Where the feed tells applications, the next one names the service; where it does
 * not, this is all that is ever told. A pickup is up too, but knows already whom it took over.
 */
function isAnsweredByNobody(leg: Leg, call: Call): boolean {
  if (!call.outbound || call.origin || call.scripted || ringsSomebody(leg)) return false;
  return leg.dialResult === '' ? !isKnown(leg.connected, call) : leg.dialResult !== 'ANSWER';
}

/** Says one thing about a leg. */
export function tell(
  world: World,
  leg: Leg,
  call: Call,
  type: ChannelEventType,
  details: string,
  transfer?: { readonly refChannel: ChannelView['refChannel']; readonly role: TransferRole },
): void {
  if (call.from === nobody && (type === 'ringing' || type === 'busy'))
    call.from = forwarder(world, leg, call);
  const view = viewOf(leg, call);
  if (transfer === undefined) world.out.push({ kind: 'channel', type, details, view, at: world.at });
  else {
    const { refChannel, role } = transfer;
    world.out.push({ kind: 'channel', type, details, role, view: { ...view, refChannel }, at: world.at });
  }
}

/** What is known of a user's channel, as a value. */
export function viewOf(leg: Leg, call: Call): ChannelView {
  return {
    channel: call.channel,
    uniqueId: leg.uniqueId,
    call: leg.group.id,
    device: call.device,
    outbound: call.outbound,
    own: leg.caller,
    other: call.other,
    dialed: call.outbound ? call.dialed : '',
    otherDevice: call.otherDevice,
    state: call.phase,
    held: call.held,
    remoteHeld: call.remoteHeld,
    busySince: call.busySince,
    refChannel: call.refChannel,
    service: call.service,
    queue: call.queue,
    from: call.from,
    since: call.since,
    takes: call.origin && !call.outbound,
  };
}
