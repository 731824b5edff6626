/** Devices: the names of channels say whose they are, and Asterisk tells their states. */

import type { DeviceName } from '../pbx/pbx.ts';
import type { EventOf } from './reducer.ts';
import type { World } from './world.ts';

// Channels that Asterisk makes for itself: Local halves, announcers and recorders of conferences, spies of ARI, media sources.
const internal = new Set(
  'Local Announcer CBAnn CBRec ConfBridgeRecorder Recorder Snoop Surrogate Bridge Message MulticastRTP UnicastRTP AudioSocket WebSocket'.split(
    ' ',
  ),
);

/**
 * The device of a channel: its name up to the last hyphen (`PJSIP/desk-340-0000001c` → `PJSIP/desk-340`), which holds for
 * PJSIP, SIP, IAX2, DAHDI and SCCP. Undefined for channels that are nobody's telephone.
 */
export function deviceOfChannel(channel: string): DeviceName | undefined {
  const slash = channel.indexOf('/');
  const hyphen = channel.lastIndexOf('-');
  if (slash <= 0 || hyphen <= slash + 1 || internal.has(channel.slice(0, slash))) return undefined;
  return channel.slice(0, hyphen) as DeviceName;
}

/** Asterisk's state of a device of ours is another one. */
export function deviceState(world: World, event: EventOf<'device-state'>): void {
  noteDevice(world, event.device, event.state);
}

/** Keeps a device's state and tells it where it is new. Of devices that are not ours nothing is kept: there are many kinds. */
export function noteDevice(world: World, device: DeviceName, state: string): void {
  const known = world.deviceStates.get(device);
  if (known === state) return;
  if (known === undefined && world.deviceOf(`${device}-0`) !== device) return;
  world.deviceStates.set(device, state);
  world.out.push({ kind: 'device', device, state, at: world.at });
}
