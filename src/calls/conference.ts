/** Conference rooms (app_confbridge): told as they come, for nothing about them has to be remembered. */

import { party } from './leg.ts';
import type { EventOf } from './reducer.ts';
import type { World } from './world.ts';

const kinds = {
  'conference-join': 'join',
  'conference-leave': 'leave',
  'conference-mute': 'mute',
  'conference-unmute': 'unmute',
} as const;

/** Somebody came, left, or fell silent. */
export function conference(world: World, event: EventOf<keyof typeof kinds>): void {
  world.out.push({
    kind: 'conference',
    type: kinds[event.type],
    room: event.conference,
    channel: event.channel.name,
    caller: party(event.channel.callerNumber, event.channel.callerName),
    at: event.at,
  });
}
