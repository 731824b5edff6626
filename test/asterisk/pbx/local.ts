import type { Party } from '../api.ts';
import { type Channel, newChannel, snapshot } from './channel.ts';
import type { Line, Pbx } from './pbx.ts';

/** The two halves of a Local channel: `one` is used, `two` stands in the dialplan. */
export interface Local {
  readonly one: Channel;
  readonly two: Channel;
}

/** Makes both halves and tells of them (core_local.c); nothing runs on `two` yet. */
export function createLocal(
  pbx: Pbx,
  spec: {
    readonly exten: string;
    readonly context: string;
    readonly linkedid: string | undefined;
    readonly callerId: Party | undefined;
  },
): Local {
  const name = `Local/${spec.exten}@${spec.context}-${pbx.serial().toString(16).padStart(8, '0')}`;
  const line = nobodysLine(name, spec.context);
  const half = (which: 1 | 2, state: number, linkedid: string | undefined) =>
    newChannel(pbx, {
      name: `${name};${which}`,
      line,
      state,
      context: spec.context,
      exten: spec.exten,
      ...(linkedid !== undefined && { linkedid }),
    });
  const one = half(1, 0, spec.linkedid);
  const two = half(2, 4, spec.linkedid ?? one.linkedid);
  two.callerId = spec.callerId;
  two.twin = one;
  pbx.publish(
    'LocalBridge',
    'call',
    `${snapshot(one, 'LocalOne')}${snapshot(two, 'LocalTwo')}` +
      `Context: ${spec.context}\r\nExten: ${spec.exten}\r\nLocalOptimization: Yes\r\n`,
  );
  return { one, two };
}

/** A Local channel belongs to no telephone: an endpoint without devices, of which nothing is told. */
function nobodysLine(number: string, context: string): Line {
  const endpoint = {
    number,
    callerId: undefined,
    context,
    lines: [],
    mailbox: undefined,
    hint: false,
    told: 'NOT_INUSE',
  };
  return { endpoint, device: 1, registered: true, behaviour: 'ring', port: 0, notified: [] };
}
