/** Module `base`: calls. */

import type { ChannelView } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import { badRequest, fail } from '../errors.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import { attr, element, many, optional } from '../protocol/codec.ts';
import { oneOf, text, word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { aboutChannel, channelEvent, describeChannel, presentState } from './channel-event.ts';
import { channelName } from './channel-name.ts';
import { consultCommands } from './consult.ts';
import { type Context, command, defineModule, event } from './define.ts';
import { legCommands } from './leg.ts';
import { prefix, resolveNumber, type Target } from './number.ts';
import { parkCommands, parkEvent } from './parking.ts';
import { pickup } from './pickup.ts';
import { describePickup, pickupEvent } from './pickup-event.ts';
import { channelsOf, hangable, identified, ownCall, present, supervises } from './reach.ts';
import { demandSilence, dialingDevice, ringOf } from './ringing.ts';

const dialFields = {
  target: optional(text('370', 256), 'number, extension, or JID of a user'),
  prefix,
  device: optional(
    text('Desk phone', 256),
    'name of the device that rings first; default: the first that can dial',
  ),
  viasetting: optional(text('', 256), 'name of a configured number, instead of `target`'),
};

/** Module `base`. */
export const base = defineModule({
  name: 'base',
  doc: 'Calls: place, end and transfer them, and hear what happens to them.',
  commands: [
    command({
      doc: 'Rings one of the user’s devices, then the target. Success once the telephone system has accepted the call.',
      access: 'user',
      audited: true,
      once: true,
      needs: ['originate'],
      request: element('Dial', dialFields),
      response: success,
      check: demandTarget('Dial'),
      handle: (request, context) => dial(context.caller.user, request, context),
    }),
    command({
      doc: 'Places a call on behalf of another user. Off unless the configuration switches it on.',
      access: 'supervisor',
      audited: true,
      once: true,
      needs: ['originate'],
      off: ({ dialFrom }) =>
        dialFrom ? undefined : 'Dialing on behalf of others is switched off on this system.',
      request: element('DialFrom', {
        identity: attr(word('mmeyer', 256), 'user name or JID'),
        ...dialFields,
      }),
      response: success,
      check: demandTarget('DialFrom'),
      handle(request, context) {
        const user = identified(request.identity, context);
        if (!supervises(user, context)) fail('not-permitted', `${user.fullName} is in none of your groups.`);
        return dial(user, request, context);
      },
    }),
    command({
      doc: 'Ends a call; one that rings is declined. Users end their own, supervisors any.',
      access: 'user',
      audited: true,
      needs: ['hangup'],
      request: element('Hangup', {
        channel: optional(channelName, 'eventId of the call; default: the user’s most recent call'),
      }),
      response: success,
      async handle(request, context) {
        const channel =
          request.channel === undefined ? mostRecent(context) : hangable(request.channel, context);
        await context.pbx.hangup(channel, declines(channel, context) ? 'rejected' : undefined);
        return ok;
      },
    }),
    command({
      doc: 'Blind transfer: the **other** party of the channel goes to the target. A call that still rings is deflected.',
      access: 'user',
      audited: true,
      needs: ['blindTransfer', 'redirect'],
      request: element('Transfer', {
        channel: attr(channelName, 'eventId of the user’s call'),
        target: attr(word('320', 256), 'number, extension, or JID of a user'),
        prefix,
      }),
      response: success,
      async handle(request, context) {
        await transfer(ownCall(request.channel, context), request, context);
        return ok;
      },
    }),
    pickup,
    ...consultCommands,
    ...parkCommands,
    ...legCommands,
    command({
      doc: 'The calls that are in progress, in the form of the events.',
      access: 'user',
      request: element('FindChannels', {
        scope: optional(oneOf('user', 'supervisor'), '`supervisor`: everybody’s calls, for supervisors'),
      }),
      response: { codec: element('ChannelList', { channels: many(channelEvent) }) },
      handle(request, context) {
        const everybody = request.scope === 'supervisor';
        if (everybody && !context.caller.supervisor) {
          fail('not-permitted', 'The calls of others are shown to supervisors only.');
        }
        const views = everybody
          ? context.calls
              .channels()
              .filter(({ device }) => supervises(context.directory.byDevice(device)?.user, context))
          : channelsOf(context.caller.user, context);
        return {
          channels: views.flatMap((view) => {
            const state = presentState(view);
            return state ? [describeChannel(state.type, state.details, view, context)] : [];
          }),
        };
      },
    }),
  ],
  events: [
    event({
      doc: 'A step in the life of a user’s channel: from `ringing` or `busy` to exactly one `hangup`.',
      on: 'channel',
      payload: channelEvent,
      from(change, world) {
        const owner = world.directory.byDevice(change.view.device);
        if (owner === undefined) return [];
        const value = describeChannel(change.type, change.details, change.view, world);
        return [{ concerns: [owner.user], value, about: aboutChannel(change) }];
      },
    }),
    event({
      doc: 'A call rings at a colleague whose calls the user may pick up, or no longer does. Never sent to the rung user.',
      on: 'pickup',
      payload: pickupEvent,
      from(change, { directory }) {
        const told = describePickup(change, directory);
        return told === undefined ? [] : [told];
      },
    }),
    parkEvent,
  ],
});

/** Dial's target may be given in two ways, and must in one. */
function demandTarget(name: string): (request: Target) => void {
  return ({ target, viasetting }) => {
    if (target === undefined && viasetting === undefined)
      badRequest(`${name}: attribute 'target' (or 'viasetting') is missing`);
  };
}

async function dial(
  user: User,
  request: Target & { readonly device: string | undefined },
  context: Context,
): Promise<typeof ok> {
  const exten = resolveNumber(request, context.directory, context.settings);
  const device = dialingDevice(user, request.device, context);
  demandSilence(device, context, (view) => view.outbound && view.other.number === exten);
  context.rules.permitDial(user, exten, context);
  const ring = ringOf(user, device.dialString, context);
  // Before the call is there, for its first event comes before the telephone system knows whom it will reach.
  context.calls.expect(ring.uniqueId, exten);
  await context.pbx.originate({ ...ring, context: user.context ?? context.settings.context, exten });
  return ok;
}

/** Ending a call that rings at one's telephone is declining it. */
function declines(channel: ChannelId, context: Context): boolean {
  const view = context.calls.channel(channel);
  return view?.state === 'ringing' && !view.outbound;
}

function mostRecent(context: Context): ChannelId {
  const views = channelsOf(context.caller.user, context);
  const last = views.reduce<ChannelView | undefined>(
    (best, view) => (best === undefined || view.since >= best.since ? view : best),
    undefined,
  );
  if (last === undefined) fail('no-active-call', 'You have no call to hang up.');
  return present(last, context);
}

async function transfer(view: ChannelView, request: Target, context: Context): Promise<void> {
  const exten = resolveNumber(request, context.directory, context.settings);
  const user = context.directory.byDevice(view.device)?.user ?? context.caller.user;
  const dialplan = user.context ?? context.settings.context;
  if (view.refChannel === '') noOtherParty();
  if (view.state === 'busy') {
    context.rules.permitDial(user, exten, context);
    return context.pbx.blindTransfer(present(view, context), dialplan, exten);
  }
  if (view.state !== 'ringing' || view.outbound || view.takes) noOtherParty();
  context.rules.permitDial(user, exten, context);
  return context.pbx.redirect(view.refChannel, dialplan, exten);
}

function noOtherParty(): never {
  fail('no-active-call', 'There is no other party to transfer yet: wait for the answer.');
}
