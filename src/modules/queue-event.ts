/** The events of queues: who came, went or takes a break, and which calls wait. */

import type { User } from '../directory.ts';
import { attr, attrOr, element, one } from '../protocol/codec.ts';
import { oneOf, text } from '../protocol/value.ts';
import { agentOf, peopleOf } from '../queue-people.ts';
import type { QueueCall } from '../queues/changes.ts';
import { event, type World } from './define.ts';
import {
  agentName,
  describeCall,
  describeMember,
  queueCallEntry,
  queueMemberState,
  queueName,
} from './queue-state.ts';

/** Where events keep the queue's name under another name than filters have. */
const filterAliases = { queue: 'name' };

/** What a waiting call is known by among the things that are told of. */
export const keyOfCall = (queue: string, uniqueId: string) => `queue ${queue} call ${uniqueId}`;

/** A call that waits: a thing with a place. */
function aboutCall(queue: string, { uniqueId }: QueueCall, { queueing }: World) {
  return {
    key: keyOfCall(queue, uniqueId),
    row: { name: queue, keys: () => queueing.standing(queue).map((id) => keyOfCall(queue, id)) },
  };
}

/** `QueueMemberState`, `QueueJoinEvent`, `QueueLeaveEvent`. */
export const queueEvents = [
  event({
    doc: 'A member logged in or out, began or ended a break. Not: whether it is free or busy. To everybody in the queue.',
    on: 'queue-member',
    payload: queueMemberState,
    from({ type, queue, member, roster }, { directory }) {
      const people = peopleOf(queue, roster, directory);
      const user = agentOf(member, directory);
      const concerns: readonly User[] =
        user === undefined || people.includes(user) ? people : [...people, user];
      return [
        {
          concerns,
          value: describeMember(member, type !== 'logout', type, directory),
          about: { key: `queue ${queue} member ${member.interface}`, facet: 'state' },
        },
      ];
    },
  }),
  event({
    doc:
      'A call began to wait; those at its place and behind it are one further behind. One that the client has already (this may be told twice) goes ' +
      'to that place. To everybody in the queue.',
    on: 'queue-join',
    payload: element('QueueJoinEvent', { ...queueName, call: one(queueCallEntry) }),
    filterAliases,
    from({ queue, call, position, roster }, world) {
      const say = (place: number) => ({ jid: '', name: queue, call: describeCall(call, place, world) });
      return [
        {
          concerns: peopleOf(queue, roster, world.directory),
          value: say(position),
          late: () => say(world.queueing.standsAt(queue, call.uniqueId) || position),
          about: { ...aboutCall(queue, call, world), facet: 'waiting', final: false },
        },
      ];
    },
  }),
  event({
    doc: 'A call waits no longer; those behind it are one further to the front. To everybody in the queue.',
    on: 'queue-leave',
    payload: element('QueueLeaveEvent', {
      ...queueName,
      eventDetails: attr(
        oneOf('connected', 'abandoned', 'timeout', 'transferred', 'moved'),
        'a member took it; the caller hung up; its time in the queue was over; it was sent elsewhere; it waits at another place of the queue, which a `QueueJoinEvent` says next',
      ),
      agent: attrOr(text('tweber'), '', 'who took it, as in `QueueMemberState`; empty where nobody did'),
      call: one(queueCallEntry),
    }),
    filterAliases,
    from({ queue, call, position, reason, member, roster }, world) {
      const say = (place: number) => ({
        jid: '',
        name: queue,
        eventDetails: reason,
        agent: member === undefined ? '' : agentName(member, world.directory),
        call: describeCall(call, place, world),
      });
      return [
        {
          concerns: peopleOf(queue, roster, world.directory),
          value: say(position),
          late: () => say(world.queueing.shownAt(queue, call.uniqueId) || position),
          // Another side: of one that moved, both are told.
          about: { ...aboutCall(queue, call, world), facet: 'left', final: true },
        },
      ];
    },
  }),
];
