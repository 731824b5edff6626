/** `ConferenceEvent`: who comes into a room, leaves it, or is silenced in it. */

import type { User } from '../directory.ts';
import { element, textElement } from '../protocol/codec.ts';
import { oneOf, text } from '../protocol/value.ts';
import type { ConferenceChange } from '../rooms/changes.ts';
import { event, type World } from './define.ts';

/** What somebody in a room is known by among the things that are told of. */
export const memberKey = (room: string, uniqueId: string): string => `room ${room} member ${uniqueId}`;

/** `ConferenceEvent`. */
export const conferenceEvent = event({
  doc:
    'Somebody came into a room, left it, was muted, or locked it. To the users in the room and the one who left. Asterisk does not tell of locks: those ' +
    'made in the room itself are told when somebody asks for the rooms, or when their state is read anew.',
  on: 'conference',
  payload: element('ConferenceEvent', {
    eventType: textElement(oneOf('join', 'leave', 'mute', 'unmute', 'lock', 'unlock'), 'join'),
    eventId: textElement(
      text('PJSIP/340-0000001c'),
      '',
      'channel of the member; empty where nobody knows who locked',
    ),
    room: textElement(text('800'), ''),
    name: textElement(text('Thomas Weber'), ''),
    number: textElement(text('340'), ''),
  }),
  from: (change, world) => [tell(change, world)],
});

function tell(change: ConferenceChange, { directory, calls }: World) {
  const ownerOf = (channel: string) => {
    const device = directory.deviceOfChannel(channel);
    return device && directory.byDevice(device)?.user;
  };
  const about = change.channel === '' ? undefined : ownerOf(change.channel);
  const exten = directory.policy.conferences.get(change.room) ?? change.room;
  // Who is there by way of a Local channel is in the room as that.
  const through = calls
    .channels()
    .filter((view) => view.service === 'conference' && view.other.number === exten)
    .map((view) => view.channel);
  const present = new Set([...change.present, ...through].map(ownerOf));
  const concerns = new Set([about, ...present].filter((user): user is User => user !== undefined));
  return {
    concerns: [...concerns],
    value: {
      eventType: change.type,
      eventId: change.channel,
      room: change.room,
      name: about?.fullName ?? change.caller.name,
      number: about?.extension ?? change.caller.number,
    },
    about: aboutOf(change),
  };
}

function aboutOf({ type, room, uniqueId }: ConferenceChange) {
  if (type === 'lock' || type === 'unlock') return { key: `room ${room} lock`, facet: 'lock' };
  const key = memberKey(room, uniqueId);
  if (type === 'join' || type === 'leave') return { key, facet: 'there', final: type === 'leave' };
  return { key, facet: 'mute', undoes: type === 'unmute', final: false };
}
