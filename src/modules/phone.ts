/** Module `phone`: the keys of a telephone. */

import type { ChannelView } from '../calls/changes.ts';
import type { Capability, Device } from '../directory.ts';
import { fail } from '../errors.ts';
import { attr, element } from '../protocol/codec.ts';
import { word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { type Context, command, defineModule } from './define.ts';

const fields = {
  device: attr(word('Desk phone', 256), 'name of one of the user’s devices; supervisors: any'),
};

/** Module `phone`. */
export const phone = defineModule({
  name: 'phone',
  doc: 'The keys of a telephone, pressed from afar.',
  commands: [
    command({
      doc:
        'Answers the call that rings, or takes off hook: sent to the telephone as SIP NOTIFY with `Event: talk`. Needs the ' +
        'capability `offhook`; what the telephone makes of it, its events tell.',
      access: 'user',
      request: element('Offhook', fields),
      response: success,
      async handle(request, context) {
        const device = permitted(request.device, context);
        demand(
          device,
          'offhook',
          'The telephone cannot be answered from here: answer the call at the telephone.',
        );
        await context.pbx.notify(device.device, 'talk');
        context.log.info({ by: context.caller.jid.bare, device: device.device }, 'telephone taken off hook');
        return ok;
      },
    }),
    command({
      doc: 'Ends the active call of the device: the one that is talked on, else the most recent one. `base.Hangup` is the newer way.',
      access: 'user',
      request: element('Hangup', fields),
      response: success,
      async handle(request, context) {
        const device = permitted(request.device, context);
        const view = active(context.calls.channelsOf(device.device));
        if (view === undefined) fail('no-active-call', 'The telephone has no call to hang up.');
        const channel = context.calls.currentName(view.channel) ?? view.channel;
        await context.pbx.hangup(channel);
        context.log.info({ by: context.caller.jid.bare, channel }, 'call hung up');
        return ok;
      },
    }),
  ],
});

/** The device of that name, if it is the caller's own; supervisors reach any. Throws `Failure` `no-device`. */
function permitted(name: string, { caller, directory }: Context): Device {
  const owner = directory.byDeviceName(name);
  // The same whether it is somebody else's or nobody's: names of devices are not to be tried out.
  if (owner === undefined || (owner.user.jid !== caller.user.jid && !caller.supervisor)) {
    fail('no-device', `'${name}' is none of the devices of ${caller.user.fullName}.`);
  }
  return owner.device;
}

function demand(device: Device, capability: Capability, otherwise: string): void {
  if (!device.capabilities.has(capability)) fail('not-supported', otherwise);
}

/** The call that the telephone's own key would end. */
function active(views: readonly ChannelView[]): ChannelView | undefined {
  const rank = ({ state, held }: ChannelView) => (state === 'busy' && !held ? 1 : 0);
  return [...views].sort((a, b) => rank(b) - rank(a) || b.since - a.since)[0];
}
