/** What the dialplan has to know of where people sit: AstDB entries, ready to be put into Dial(). */

import { type CallOrigin, callOrigins, type Device, type Directory, type User } from '../directory.ts';

/** AstDB families by what they hold. Keyed by extension, but for the last two. */
export const families = {
  internal: 'OFFHOOK_INTERNAL',
  external: 'OFFHOOK_EXTERNAL',
  queue: 'OFFHOOK_QUEUE',
  /** Keyed by the extension of a Local channel in the context `offhook-later`: devices that ring later or shorter than others. */
  later: 'OFFHOOK_LATER',
  /** Keyed by endpoint: who sits at a place's device. */
  seat: 'OFFHOOK_SEAT',
} as const;

/** The dialplan context of {@link families} `later`. */
const LATER_CONTEXT = 'offhook-later';

/** Entries by `family/key`: neither can hold a slash. */
export type Entries = ReadonlyMap<string, string>;

/** Leaves room in a line of 1021 bytes for header and name. */
const maxValue = 900;
/** Endpoints that can be keys of the AstDB. */
const key = /^[A-Za-z0-9*#+_.-]{1,79}$/;

/** Somebody has more devices than fit: `rings` of them ring. */
export type OnCut = (user: User, rings: number) => void;

/** The entries for everybody who sits at another place than the own one, or whose devices have times of their own. */
export function entriesOf(directory: Directory, usualSeconds: number, onCut: OnCut = () => {}): Entries {
  const entries = new Map<string, string>();
  for (const user of directory.users) {
    const place = directory.seatOf(user);
    if (place === undefined && user.devices.every(({ rings }) => rings === undefined)) continue;
    for (const origin of callOrigins) {
      const value = ring(user, origin, usualSeconds, entries, onCut);
      if (value !== '') entries.set(`${families[origin]}/${user.extension}`, value);
    }
    for (const { device } of place?.devices ?? []) {
      const endpoint = device.slice(device.indexOf('/') + 1);
      if (key.test(endpoint)) entries.set(`${families.seat}/${endpoint}`, identity(user));
    }
  }
  return entries;
}

/** When a device rings, seconds. */
export function ringTime(device: Device, origin: CallOrigin, usualSeconds: number) {
  const time = device.rings?.[origin];
  return { delay: time?.delay ?? 0, timeout: time?.timeout ?? usualSeconds };
}

/** The first arguments of Dial(): what rings, and for how long. Adds what those devices need that cannot be named there. */
function ring(
  user: User,
  origin: CallOrigin,
  usualSeconds: number,
  entries: Map<string, string>,
  onCut: OnCut,
): string {
  const devices = user.devices.map((device) => ({ device, ...ringTime(device, origin, usualSeconds) }));
  const total = Math.max(0, ...devices.map(({ delay, timeout }) => delay + timeout));
  let value = '';
  for (const [index, { device, delay, timeout }] of devices.entries()) {
    const whole = delay === 0 && timeout === total;
    const name = `${user.extension}${origin.charAt(0)}${index}`;
    const dialed = whole ? device.dialString : `Local/${name}@${LATER_CONTEXT}`;
    if (Buffer.byteLength(value) + Buffer.byteLength(dialed) > maxValue) {
      onCut(user, index);
      break;
    }
    value += value === '' ? dialed : `&${dialed}`;
    if (!whole) {
      const later = `${delay},${timeout},${device.dialString},${user.extension}`;
      entries.set(`${families.later}/${name}`, later);
    }
  }
  return value === '' ? '' : `${value},${total}`;
}

/** `340:Thomas Weber`: what the dialplan makes a caller ID of. */
function identity({ extension, fullName }: User): string {
  return `${extension}:${fullName.replaceAll(/\p{Cc}/gu, ' ').slice(0, 80)}`;
}
