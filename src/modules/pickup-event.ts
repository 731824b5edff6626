/** `PickupEvent`: a colleague's telephone rings, and you may take the call. */

import type { PickupChange } from '../calls/changes.ts';
import type { Directory, User } from '../directory.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import { element, type Infer, textElement } from '../protocol/codec.ts';
import { oneOf, text } from '../protocol/value.ts';
import type { Telling } from './define.ts';

/** The element on the wire. */
export const pickupEvent = element(
  'PickupEvent',
  {
    eventType: textElement(
      oneOf('ringing', 'gone'),
      'ringing',
      '`ringing`: can be picked up; `gone`: not any more',
    ),
    eventId: textElement(text('mmeyer'), '', 'user name of the rung colleague: a `target` of `Pickup`'),
    target: textElement(text('370'), '', 'internal number of the rung colleague'),
    sourceName: textElement(text('Martin Pasquay'), '', 'who calls'),
    sourceNumber: textElement(text('320'), ''),
  },
  'A call that rings at a colleague of a pickup group began or ceased to be there for taking.',
);

/** Builds the event, and says who may pick up: everybody sharing a group with the rung user, but not that user. */
export function describePickup(
  change: PickupChange,
  directory: Directory,
): Telling<Infer<typeof pickupEvent>> | undefined {
  const rung = directory.byDevice(change.device)?.user;
  if (rung === undefined) return undefined;
  const concerns = pickersOf(rung, directory);
  if (concerns.length === 0) return undefined;
  const caller = change.sourceDevice === '' ? undefined : directory.byDevice(change.sourceDevice)?.user;
  return {
    concerns,
    about: { key: offerKey(change.channel), facet: 'offer', final: change.type === 'gone' },
    value: {
      eventType: change.type,
      eventId: rung.name,
      target: rung.extension,
      sourceName: caller?.fullName ?? change.source.name,
      sourceNumber: caller?.extension ?? change.source.number,
    },
  };
}

/** What an offer is known by among the things that are told of: the channel it was made for. */
export const offerKey = (channel: ChannelId) => `pickup ${channel}`;

// By directory snapshot: a new one is a new key, an old one is collected with it.
const members = new WeakMap<Directory, ReadonlyMap<string, readonly User[]>>();

function pickersOf(rung: User, directory: Directory): readonly User[] {
  let groups = members.get(directory);
  if (groups === undefined) {
    const collected = new Map<string, User[]>();
    for (const user of directory.users) {
      for (const group of user.pickupGroups) {
        const present = collected.get(group);
        if (present === undefined) collected.set(group, [user]);
        else present.push(user);
      }
    }
    groups = collected;
    members.set(directory, groups);
  }
  const pickers = new Set<User>();
  for (const group of rung.callGroups) for (const user of groups.get(group) ?? []) pickers.add(user);
  pickers.delete(rung);
  return [...pickers];
}
