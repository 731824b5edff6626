/** Module `location`: places that people sit down at by turns. */

import { callOrigins, capabilities, type Device, type Directory, type User } from '../directory.ts';
import { maySit } from '../places/places.ts';
import { ringTime } from '../places/ring.ts';
import { attr, attrOr, element, flagSet, type Infer, many, one } from '../protocol/codec.ts';
import { flag, integer, oneOf, text, word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { command, defineModule, event } from './define.ts';

const phonedevice = element('Phonedevice', {
  name: attr(text('Desk phone'), 'what `device` attributes take'),
  type: attr(text('hardphone')),
  capabilities: flagSet(capabilities, 'what the device can be told to do'),
});
const seconds = (example: number, doc: string) => attrOr(integer(0, 3600, example), 0, doc);
const deviceEntry = element('DeviceEntry', {
  delayinternal: seconds(0, 'seconds before an internal call rings here'),
  timeoutinternal: seconds(30, 'seconds it rings'),
  delayexternal: seconds(0, 'the same for calls from outside'),
  timeoutexternal: seconds(30, ''),
  delayqueue: seconds(0, 'the same for queue calls'),
  timeoutqueue: seconds(30, ''),
  device: one(phonedevice),
});

const place = element('Location', {
  name: attr(text('Thomas Weber')),
  isstatic: attr(flag(true), 'true: the user’s own place; false: a place that people sit down at by turns'),
  username: attr(text('tweber'), 'who sits there; empty: nobody'),
  devices: many(deviceEntry),
});

/** Places with their devices. */
export const locationList = element('LocationList', { locations: many(place) });

function describeDevice(device: Device, usual: number): Infer<typeof deviceEntry> {
  const [internal, external, queue] = [...callOrigins].map((origin) => ringTime(device, origin, usual));
  return {
    delayinternal: internal?.delay ?? 0,
    timeoutinternal: internal?.timeout ?? usual,
    delayexternal: external?.delay ?? 0,
    timeoutexternal: external?.timeout ?? usual,
    delayqueue: queue?.delay ?? 0,
    timeoutqueue: queue?.timeout ?? usual,
    device: { name: device.name, type: device.type, capabilities: device.capabilities },
  };
}

/** Where a user sits: the own place always, and the one that the user sits at besides. `usual` = seconds that devices ring. */
export function describeLocations(
  user: User,
  directory: Directory,
  usual: number,
): Infer<typeof locationList> {
  const place = directory.seatOf(user);
  const own = user.devices.filter((device) => place === undefined || !place.devices.includes(device));
  const entries = (devices: readonly Device[]) => devices.map((device) => describeDevice(device, usual));
  const at = { name: user.location, isstatic: true, username: user.name, devices: entries(own) };
  if (place === undefined) return { locations: [at] };
  return {
    locations: [
      at,
      { name: place.name, isstatic: false, username: user.name, devices: entries(place.devices) },
    ],
  };
}

const setLocation = element('SetLocation', {
  eventType: attr(
    oneOf('login', 'logout'),
    '`login`: the user has sat down; `logout`: the user sits there no more',
  ),
  eventId: attr(text('tweber'), 'user name'),
  locations: one(locationList),
});

/** Module `location`. */
export const location = defineModule({
  name: 'location',
  doc:
    'Places that people sit down at by turns. The devices of a place are those of who sits there: calls, events, presence and pickup ' +
    'follow at once, the calls in progress there as well.',
  commands: [
    command({
      doc: 'The places that the user may sit down at, with who sits there; for supervisors all of them. Without devices.',
      access: 'user',
      request: element('Find', {}),
      response: { codec: locationList },
      handle: (_request, { caller: { user, supervisor }, directory }) => ({
        locations: directory.places
          .filter((place) => supervisor || maySit(user, place))
          .map((place) => ({
            name: place.name,
            isstatic: false,
            username: directory.occupantOf(place)?.name ?? '',
            devices: [],
          })),
      }),
    }),
    command({
      doc:
        'The user sits down at a place. Whoever sat there does so no more, and is told by `SetLocation`, too. Of two who want the same place ' +
        'at the same moment one gets it, and the other a Failure.',
      access: 'user',
      audited: true,
      needs: ['dbPut', 'dbDel'],
      request: element('RelocateUser', { location: attr(word('Desk 1', 256), 'name of the place') }),
      response: success,
      async handle({ location: name }, { caller: { user }, places }) {
        await places.relocate(user, name);
        return ok;
      },
    }),
    command({
      doc: 'The user gets up, and sits at the own place only.',
      access: 'user',
      audited: true,
      needs: ['dbPut', 'dbDel'],
      request: element('LogoutUser', {}),
      response: success,
      async handle(_request, { caller: { user }, places }) {
        await places.logout(user);
        return ok;
      },
    }),
  ],
  events: [
    event({
      doc: 'The user sits somewhere else: by an own command, because somebody else took the place, or because it is no longer granted.',
      on: 'seat',
      payload: setLocation,
      from({ type, user: jid, ringSeconds }, { directory }) {
        const user = directory.byJid(jid);
        if (user === undefined) return [];
        const value = {
          eventType: type,
          eventId: user.name,
          locations: describeLocations(user, directory, ringSeconds),
        };
        return [{ concerns: [user], value, about: { key: `seat ${user.name}`, facet: 'place' } }];
      },
    }),
  ],
});
