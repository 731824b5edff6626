/** Parking: putting a call where everybody can fetch it. */

import type { ParkChange } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import { attr, element, many, optional, textElement } from '../protocol/codec.ts';
import { integer, oneOf, pattern, text } from '../protocol/value.ts';
import { channelName } from './channel-name.ts';
import { command, event, type World } from './define.ts';
import { conversation, present } from './reach.ts';

const lot = optional(
  pattern(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/, 'the name of a parking lot', 'default'),
  'parking lot; default: the telephone system’s',
);

const epoch = integer(0, Number.MAX_SAFE_INTEGER, 0);
const seconds = integer(0, 1_000_000, 45);

const parkedCall = element('ParkedCall', {
  space: attr(text('701'), 'number to dial to fetch the call'),
  lot: attr(text('default')),
  channel: attr(channelName, 'eventId of the parked call'),
  callerName: attr(text('Max Meyer')),
  callerNumber: attr(text('370')),
  since: attr(epoch, 'when it was parked, epoch milliseconds'),
  timeout: attr(seconds, 'seconds until it goes back to who parked it'),
});

/** `Park` and `FindParked`. */
export const parkCommands = [
  command({
    doc: 'Parks the **other** party of the call. The user’s own call ends.',
    access: 'user',
    audited: true,
    once: true,
    needs: ['park'],
    request: element('Park', { channel: attr(channelName, 'eventId of the user’s call'), lot }),
    response: {
      module: 'base',
      codec: element('Success', {
        message: textElement(text('Ok'), 'Ok', 'for people'),
        space: textElement(text('701'), '', 'number to dial to fetch the call'),
      }),
    },
    async handle(request, context) {
      const view = conversation(request.channel, context);
      const { space } = await context.pbx.park(view.refChannel, present(view, context), request.lot);
      return { message: 'Ok', space };
    },
  }),
  command({
    doc: 'The calls that wait in a parking lot, or in all of them.',
    access: 'user',
    needs: ['parkedCalls'],
    request: element('FindParked', { lot }),
    response: { codec: element('ParkedCallList', { calls: many(parkedCall) }) },
    async handle(request, context) {
      const calls = await context.pbx.parkedCalls(request.lot);
      return { calls: calls.map((call) => ({ ...call, since: context.now() - call.waited * 1000 })) };
    },
  }),
];

/** What a parked call is known by among the things that are told of. */
export const parkedKey = (uniqueId: string): string => `parked ${uniqueId}`;

const parkEventPayload = element('ParkEvent', {
  eventType: textElement(
    oneOf('parked', 'retrieved', 'timeout', 'abandoned'),
    'parked',
    '`retrieved`: somebody fetched it; `timeout`: it goes back to who parked it; `abandoned`: the caller hung up',
  ),
  eventId: textElement(text('PJSIP/370-00000001'), '', 'the parked channel'),
  space: textElement(text('701'), '', 'number to dial to fetch the call'),
  lot: textElement(text('default'), ''),
  callerName: textElement(text('Max Meyer'), ''),
  callerNumber: textElement(text('370'), ''),
  parker: textElement(
    text('tweber'),
    '',
    'user name of who parked it, or the device where that is no user’s',
  ),
  retriever: textElement(text('boss'), '', 'user name of who fetched it'),
  timeout: textElement(seconds, 0, 'seconds until it goes back'),
});

/** To who is parked, who parked and who fetched. */
export const parkEvent = event({
  doc: 'A call was parked, or is no longer. To the users who are parked, who parked and who fetched it.',
  on: 'park',
  payload: parkEventPayload,
  from: (change, world) => [describePark(change, world)],
});

function describePark(change: ParkChange, { directory }: World) {
  const device = directory.deviceOfChannel(change.channel);
  const parked = device && directory.byDevice(device)?.user;
  const parker = directory.users.find((user) => user.devices.some((each) => each.device === change.parker));
  const retriever = change.retriever === '' ? undefined : directory.byDevice(change.retriever)?.user;
  const concerns = new Set([parked, parker, retriever].filter((user): user is User => user !== undefined));
  return {
    concerns: [...concerns],
    value: {
      eventType: change.type,
      eventId: change.channel,
      space: change.space,
      lot: change.lot,
      callerName: parked?.fullName ?? change.caller.name,
      callerNumber: parked?.extension ?? change.caller.number,
      parker: parker?.name ?? change.parker,
      retriever: retriever?.name ?? change.retriever,
      timeout: change.timeout,
    },
    about: { key: parkedKey(change.uniqueId), facet: 'state', final: change.type !== 'parked' },
  };
}
