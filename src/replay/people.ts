/** Who is who in a recording, where no directory says: every PJSIP endpoint with a number for a name is a user of that extension. */

import { fromEndpoints } from '../directory/discovered.ts';
import { createDirectory, type Directory } from '../directory.ts';
import type { Channel, PbxEvent } from '../pbx/events.ts';
import type { DeviceName, PbxEndpoint } from '../pbx/pbx.ts';
import { forEachEvent, type Sidecar } from './replay.ts';

/** Domain of the users that a recording shows. */
export const RECORDED_DOMAIN = 'localhost';

/** All of them may pick up each other's calls, since a recording does not tell who may. */
const GROUP = new Set(['everybody']);

/**
 * The directory that recordings show. Names are those that were signaled with a user's own number; who never showed one is
 * called by the extension.
 */
export function recordedPeople(
  recordings: readonly { readonly bytes: Buffer; readonly sidecar: Sidecar | undefined }[],
): Directory {
  const endpoints = new Map<string, string>();
  const names = new Map<string, string>();
  const look = (channel: Channel | undefined) => {
    if (channel === undefined) return;
    const endpoint = /^PJSIP\/([0-9]+)-[^-]+$/.exec(channel.name)?.[1];
    if (endpoint !== undefined) endpoints.set(endpoint, `PJSIP/${endpoint}`);
    for (const [number, name] of [
      [channel.callerNumber, channel.callerName],
      [channel.connectedNumber, channel.connectedName],
    ] as const) {
      if (number !== '' && name !== '' && !names.has(number)) names.set(number, name);
    }
  };
  for (const { bytes, sidecar } of recordings)
    forEachEvent(bytes, sidecar, (event) => channelsIn(event).forEach(look));
  const listed = [...endpoints].map(
    ([extension, device]): PbxEndpoint => ({
      device: device as DeviceName,
      extension,
      fullName: names.get(extension) ?? '',
      mailbox: `${extension}@default`,
    }),
  );
  const { users } = fromEndpoints(listed, RECORDED_DOMAIN);
  return createDirectory(users.map((user) => ({ ...user, pickupGroups: GROUP, callGroups: GROUP })));
}

function channelsIn(event: PbxEvent): (Channel | undefined)[] {
  if (event.type === 'snapshot')
    return [...event.snapshot.channels, ...event.snapshot.meanwhile.flatMap(channelsIn)];
  if ('channel' in event && typeof event.channel === 'object') return [event.channel];
  return 'dest' in event ? [event.caller, event.dest] : [];
}
