/** The life of a channel but for its end: it appears, changes, runs an application. */

import { end } from './hangup.ts';
import type { Leg } from './leg.ts';
import { meet } from './legs.ts';
import { queueOf, waitIn } from './queue.ts';
import type { EventOf } from './reducer.ts';
import { type Meaning, meaningOf } from './services.ts';
import { settleAround } from './settle.ts';
import type { World } from './world.ts';

/** A channel appeared, or has a new state, caller ID or connected line. */
export function update(world: World, event: EventOf<'channel-new' | 'channel-update'>): void {
  // Names are unique: the one that bore this name has ended, and nobody said so.
  const namesake = event.type === 'channel-new' ? world.calls.get(event.channel.name) : undefined;
  if (namesake !== undefined && namesake.uniqueId !== event.channel.uniqueId) end(world, namesake, 'unknown');
  const leg = meet(world, event.channel);
  if (leg !== undefined) settleAround(world, leg);
}

/** Notes what an application means for the call of the leg that runs it, heard of in an event or in a snapshot; returns it. */
export function noteApplication(leg: Leg, application: string, data: string): Meaning {
  const meaning = meaningOf(application);
  if (meaning === 'spying') {
    if (leg.call?.phase === 'new') leg.call.hidden = true;
  } else if (meaning === 'connecting') {
    leg.service = '';
  } else if (meaning !== 'passing') {
    leg.service = meaning.service;
    if (meaning.service === 'queue') waitIn(leg, queueOf(data));
  }
  return meaning;
}

/** The dialplan runs an application on a channel: what answers there has a name now. */
export function application(world: World, event: EventOf<'application'>): void {
  const leg = meet(world, event.channel);
  if (leg === undefined) return;
  if (leg.call !== undefined && !event.application.startsWith('App')) leg.call.scripted = true;
  noteApplication(leg, event.application, event.data);
  // The caller hears ringing though no telephone rings for it.
  if (event.application === 'Ringing' && leg.state === 'ring') leg.alerting = true;
  settleAround(world, leg);
}

/** Somebody listens in: the listening channel is no call of its user's, and the call listened to does not change. */
export function spying(world: World, event: EventOf<'spy-start'>): void {
  const leg = world.legs.get(event.spyer.uniqueId) ?? meet(world, event.spyer);
  if (leg?.call?.phase === 'new') leg.call.hidden = true;
}
