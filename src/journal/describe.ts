/** A finished part in the words of the directory and the phonebook. */

import type { Directory, User } from '../directory.ts';
import { otherUser, serviceName } from '../naming.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import type { Entry } from './entry.ts';
import type { Finished } from './parts.ts';

/** What an entry's names are looked up in. */
export interface Names {
  readonly directory: Directory;
  /** Whose number it is, of those that are no users; undefined where nobody's. */
  readonly nameOf: (number: string) => string | undefined;
  /** The recording that these channels are in; empty where there is none. */
  readonly recordOf: (channels: readonly ChannelId[]) => string;
  /** Put in front of outside numbers; may be empty. */
  readonly outsidePrefix: string;
}

/** The entry of a part. `user`: whose it is. */
export function describePart(part: Finished, user: User, names: Names): Entry {
  const device = names.directory.byDevice(part.view.device);
  const own = part.channels.length > 0;
  return {
    id: part.id,
    timestamp: part.since,
    inbound: !part.outbound,
    ...(part.outbound && !part.fetched && part.view.dialed !== ''
      ? calledParty(part, names)
      : connectedParty(part, names)),
    duration: part.duration,
    connected: part.connected,
    device: own ? part.view.device : '',
    deviceName: own ? (device?.device.name ?? part.view.device) : '',
    location: own ? placeOf(user, part.view.device, names.directory) : '',
    result: part.result,
    details: detailsOf(part),
    ...road(part),
    extension: user.extension,
    recordId: names.recordOf(part.channels),
    channels: part.channels,
    certain: part.certain,
  };
}

type PartyFields = Pick<Entry, 'internal' | 'name' | 'number' | 'prefix'>;

/** Whom the user called: who had the number that was dialled, whoever answered it then. */
function calledParty({ view, other }: Finished, { directory, nameOf, outsidePrefix }: Names): PartyFields {
  const { dialed } = view;
  const user = directory.byExtension(dialed);
  if (user !== undefined) return { internal: true, name: user.fullName, number: user.extension, prefix: '' };
  const answering = otherUser(other, directory);
  if (answering !== undefined)
    return { internal: true, name: nameOf(dialed) ?? answering.fullName, number: dialed, prefix: '' };
  const { prefix, number } = splitPrefix(dialed, outsidePrefix);
  const signaled = other.service === '' ? other.other.name : serviceName(other);
  return { internal: false, name: nameOf(number) ?? signaled, number, prefix };
}

/** Where a device stands: at the place where its user sits, else at the user's own. */
export function placeOf(user: User, device: string, directory: Directory): string {
  const seat = directory.seatOf(user);
  return seat?.devices.some((each) => each.device === device) === true ? seat.name : user.location;
}

/** The number behind an outside prefix, where it has one. */
export function splitPrefix(dialed: string, outsidePrefix: string): Pick<Entry, 'prefix' | 'number'> {
  const outside =
    outsidePrefix !== '' && dialed.length > outsidePrefix.length && dialed.startsWith(outsidePrefix);
  const prefix = outside ? outsidePrefix : '';
  return { prefix, number: dialed.slice(prefix.length) };
}

/** Who called, or was connected. */
function connectedParty({ other }: Finished, { directory, nameOf }: Names): PartyFields {
  const user = otherUser(other, directory);
  if (user !== undefined) return { internal: true, name: user.fullName, number: user.extension, prefix: '' };
  const { number } = other.other;
  const known = other.service === '' && number !== '' ? nameOf(number) : undefined;
  return { internal: false, name: known ?? serviceName(other), number, prefix: '' };
}

function detailsOf({ result, details, from, transferred }: Finished): string {
  const came = from.number !== '' && !transferred;
  return came && (result === 'hangup' || result === 'missed') ? 'from' : details;
}

function road({ queue, from, transferred }: Finished): Pick<Entry, 'via' | 'viaDetails'> {
  if (queue !== '') return { via: queue, viaDetails: 'queue' };
  if (from.number === '') return { via: '', viaDetails: '' };
  return { via: from.number, viaDetails: transferred ? 'transfer' : 'redirect' };
}
