/** Module `phone`: the keys of a telephone. */

import type { ChannelView } from '../calls/changes.ts';
import type { Capability, Device, Owner } from '../directory.ts';
import { fail } from '../errors.ts';
import { attr, element } from '../protocol/codec.ts';
import { word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { twoCalls } from './consult.ts';
import { type Context, command, defineModule } from './define.ts';
import { present, supervises } from './reach.ts';
import { isAway } from './ringing.ts';

const fields = {
  device: attr(word('Desk phone', 256), 'name of one of the user’s devices; supervisors: any within reach'),
};

/** Module `phone`. */
export const phone = defineModule({
  name: 'phone',
  doc: 'The keys of a telephone, pressed from afar.',
  commands: [
    command({
      doc:
        'Answers the call that rings, takes back the one on hold, or takes off hook: sent to the telephone as SIP NOTIFY with ' +
        '`Event: talk`. Needs the capability `offhook`; what the telephone makes of it, its events tell.',
      access: 'user',
      audited: true,
      needs: ['notify'],
      request: element('Offhook', fields),
      response: success,
      async handle(request, context) {
        const { device } = permitted(request.device, context);
        demand(
          device,
          'offhook',
          'The telephone cannot be answered from here: answer the call at the telephone.',
        );
        demandPresence(device, context);
        const views = context.calls.channelsOf(device.device);
        const meant = views.find(isRinging) ?? views.find((view) => view.held);
        await context.pbx.notify(device.device, 'talk', meant && present(meant, context));
        return ok;
      },
    }),
    command({
      doc: 'Puts the active call on hold: SIP NOTIFY with `Event: hold`. Needs the capability `hold`.',
      access: 'user',
      audited: true,
      needs: ['notify'],
      request: element('Hold', fields),
      response: success,
      async handle(request, context) {
        const { device } = permitted(request.device, context);
        demand(device, 'hold', 'The telephone cannot hold from here: press its hold key.');
        const talking = context.calls
          .channelsOf(device.device)
          .find((view) => view.state === 'busy' && !view.held);
        if (talking === undefined) fail('no-active-call', 'There is no call to hold.');
        await context.pbx.notify(device.device, 'hold', present(talking, context));
        return ok;
      },
    }),
    command({
      doc: 'Connects the held call with the active one, and leaves both. Done by the telephone system, on any device.',
      access: 'user',
      audited: true,
      needs: ['join'],
      request: element('Transfer', fields),
      response: success,
      async handle(request, context) {
        const { waiting, consulting } = heldAndActive(permitted(request.device, context), context);
        await context.pbx.join(waiting, consulting.other);
        return ok;
      },
    }),
    command({
      doc: 'Joins the held call, the active one and the user in a conference room that is free. Done by the telephone system, on any device.',
      access: 'user',
      audited: true,
      once: true,
      needs: ['conferences', 'redirect'],
      off: ({ conferences }) =>
        conferences.size > 0 ? undefined : 'No conference room is configured on this system.',
      request: element('Conference', fields),
      response: success,
      async handle(request, context) {
        const owner = permitted(request.device, context);
        const { waiting, consulting } = heldAndActive(owner, context);
        const exten = await freeRoom(context);
        const dialplan = owner.user.context ?? context.settings.context;
        // Both sides of the active call at once, for each alone would end the other.
        await context.pbx.redirect(consulting.own, dialplan, exten, consulting.other);
        await context.pbx.redirect(waiting, dialplan, exten);
        return ok;
      },
    }),
    command({
      doc: 'Ends the active call of the device: the one that is talked on, else the most recent one. `base.Hangup` is the newer way.',
      access: 'user',
      audited: true,
      needs: ['hangup'],
      request: element('Hangup', fields),
      response: success,
      async handle(request, context) {
        const { device } = permitted(request.device, context);
        const view = active(context.calls.channelsOf(device.device));
        if (view === undefined) fail('no-active-call', 'The telephone has no call to hang up.');
        await context.pbx.hangup(present(view, context));
        return ok;
      },
    }),
    command({
      doc: 'Sends a NOTIFY by one of the templates that the configuration lists: reboot, read the configuration again. Off unless it lists any.',
      access: 'supervisor',
      audited: true,
      needs: ['notify'],
      off: ({ notify }) => (notify.size > 0 ? undefined : 'Sending NOTIFY is switched off on this system.'),
      request: element('Notify', {
        ...fields,
        event: attr(word('reboot', 79), 'name of the template'),
      }),
      response: success,
      async handle(request, context) {
        const { notify } = context.directory.policy;
        if (!notify.has(request.event)) {
          fail('not-permitted', `Only these may be sent here: ${[...notify].join(', ')}.`);
        }
        const { device } = permitted(request.device, context);
        await context.pbx.notify(device.device, { template: request.event });
        return ok;
      },
    }),
  ],
});

/** The device of that name, if it is the caller's own or within a supervisor's reach. Throws `Failure` `no-device`. */
function permitted(name: string, context: Context): Owner {
  const { caller, directory } = context;
  const owner = directory.byDeviceName(name);
  // The same whether it is somebody else's or nobody's: names of devices are not to be tried out.
  if (owner === undefined || (owner.user.jid !== caller.user.jid && !supervises(owner.user, context))) {
    fail('no-device', `'${name}' is none of the devices of ${caller.user.fullName}.`);
  }
  return owner;
}

function demand(device: Device, capability: Capability, otherwise: string): void {
  if (!device.capabilities.has(capability)) fail('not-supported', otherwise);
}

function demandPresence(device: Device, { calls }: Context): void {
  if (!isAway(calls.deviceState(device.device))) return;
  fail('device-unavailable', 'The telephone is not registered: switch it on or check its network.');
}

function isRinging(view: ChannelView): boolean {
  return view.state === 'ringing' && !view.outbound;
}

/** The call that the telephone's own key would end. */
function active(views: readonly ChannelView[]): ChannelView | undefined {
  const rank = ({ state, held }: ChannelView) => (state === 'busy' && !held ? 1 : 0);
  return [...views].sort((a, b) => rank(b) - rank(a) || b.since - a.since)[0];
}

/** The other parties of the held and of the active call of a device. Throws `Failure` `no-active-call`. */
function heldAndActive({ device }: Owner, context: Context) {
  const talking = context.calls.channelsOf(device.device).find((view) => view.state === 'busy' && !view.held);
  if (talking === undefined)
    fail('no-active-call', 'There is no active call: talk to one party with the other on hold.');
  const { waiting, consulting } = twoCalls(talking, context);
  if (waiting.refChannel === '' || consulting.refChannel === '') {
    fail('no-active-call', 'One of the two calls has no other party to connect.');
  }
  return {
    waiting: waiting.refChannel,
    consulting: { own: present(consulting, context), other: consulting.refChannel },
  };
}

/** The extension of a configured conference room that nobody is in. Throws `Failure` `not-available`. */
async function freeRoom({ directory, pbx }: Context): Promise<string> {
  const { conferences } = directory.policy;
  const used = new Set((await pbx.conferences()).map(({ room }) => room));
  for (const [room, exten] of conferences) if (!used.has(room)) return exten;
  return fail('not-available', 'Every conference room is in use: try again later.');
}
