/** Module `base`: calls. */

import { randomUUID } from 'node:crypto';
import type { ChannelView } from '../calls/changes.ts';
import type { Device, User } from '../directory.ts';
import { badRequest, fail } from '../errors.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import { attr, element, many, optional } from '../protocol/codec.ts';
import { parseJid } from '../protocol/jid.ts';
import { oneOf, pattern, text, word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { aboutChannel, channelEvent, describeChannel, presentState } from './channel-event.ts';
import { channelName } from './channel-name.ts';
import { type Context, command, defineModule, event } from './define.ts';
import { resolveNumber, type Target } from './number.ts';
import { describePickup, pickupEvent } from './pickup-event.ts';

const prefix = optional(
  pattern(/^(?:auto|[0-9*#]{1,16})$/, "'auto' or 1 to 16 digits", 'auto'),
  '`auto`: extensions as they are, the outside prefix before all else; a number: put in front literally',
);

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
      request: element('Dial', dialFields),
      response: success,
      handle: (request, context) => dial('Dial', context.caller.user, request, context),
    }),
    command({
      doc: 'Places a call on behalf of another user.',
      access: 'supervisor',
      request: element('DialFrom', {
        identity: attr(word('mmeyer', 256), 'user name or JID'),
        ...dialFields,
      }),
      response: success,
      handle: (request, context) => dial('DialFrom', identified(request.identity, context), request, context),
    }),
    command({
      doc: 'Ends a call; one that rings is declined. Users end their own, supervisors any.',
      access: 'user',
      request: element('Hangup', {
        channel: optional(channelName, 'eventId of the call; default: the user’s most recent call'),
      }),
      response: success,
      async handle(request, context) {
        const channel =
          request.channel === undefined ? mostRecent(context) : reachable(request.channel, context);
        await context.pbx.hangup(channel, declines(channel, context) ? 'rejected' : undefined);
        context.log.info({ by: context.caller.jid.bare, channel }, 'call hung up');
        return ok;
      },
    }),
    command({
      doc: 'Blind transfer: the **other** party of the channel goes to the target. A call that still rings is deflected.',
      access: 'user',
      request: element('Transfer', {
        channel: attr(channelName, 'eventId of the user’s call'),
        target: attr(word('320', 256), 'number, extension, or JID of a user'),
        prefix,
      }),
      response: success,
      async handle(request, context) {
        await transfer(own(request.channel, context), request, context);
        return ok;
      },
    }),
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
        const views = everybody ? context.calls.channels() : channelsOf(context.caller.user, context);
        return {
          channels: views.flatMap((view) => {
            const state = presentState(view);
            return state ? [describeChannel(state.type, state.details, view, context.directory)] : [];
          }),
        };
      },
    }),
  ],
  events: [
    event({
      doc: 'A step in the life of a user’s channel: from `ringing` or `busy` to exactly one `hangup`.',
      payload: channelEvent,
      from(change, { directory }) {
        if (change.kind !== 'channel') return [];
        const owner = directory.byDevice(change.view.device);
        if (owner === undefined) return [];
        const value = describeChannel(change.type, change.details, change.view, directory);
        return [{ concerns: [owner.user], value, about: aboutChannel(change) }];
      },
    }),
    event({
      doc: 'A call rings at a colleague whose calls the user may pick up, or no longer does. Never sent to the rung user.',
      payload: pickupEvent,
      from(change, { directory }) {
        const told = change.kind === 'pickup' ? describePickup(change, directory) : undefined;
        return told === undefined ? [] : [told];
      },
    }),
  ],
});

async function dial(
  name: string,
  user: User,
  request: Target & { readonly device: string | undefined },
  context: Context,
): Promise<typeof ok> {
  if (request.target === undefined && request.viasetting === undefined) {
    badRequest(`${name}: attribute 'target' (or 'viasetting') is missing`);
  }
  const exten = resolveNumber(request, context.directory, context.settings);
  const device = dialingDevice(user, request.device, context);
  const uniqueId = `offhook-${randomUUID()}`;
  // Before the call is there, for its first event comes before the telephone system knows whom it will reach.
  context.calls.expect(uniqueId, exten);
  await context.pbx.originate({
    uniqueId,
    device: device.dialString,
    context: user.context ?? context.settings.context,
    exten,
    callerName: user.fullName,
    callerNumber: user.extension,
    ringMs: context.settings.ringMs,
  });
  const number = context.settings.showNumber(exten);
  context.log.info({ by: context.caller.jid.bare, device: device.device, number }, 'call placed');
  return ok;
}

function identified(identity: string, context: Context): User {
  const jid = parseJid(identity);
  const user = context.directory.byName(identity) ?? (jid && context.directory.byJid(jid.bare));
  return user ?? fail('no-such-user', `There is no user '${identity}'.`);
}

/** The device that a call of the user begins at. Throws `Failure` `no-device`, `not-supported`, `device-unavailable`. */
function dialingDevice(user: User, name: string | undefined, context: Context): Device {
  const devices = name === undefined ? user.devices : user.devices.filter((device) => device.name === name);
  if (devices.length === 0) {
    if (name === undefined) fail('no-device', `${user.fullName} has no telephone in the directory.`);
    fail('no-device', `'${name}' is none of the devices of ${user.fullName}.`);
  }
  const able = devices.filter((device) => device.capabilities.has('dial'));
  if (able.length === 0) fail('not-supported', 'The device cannot place calls; choose another one.');
  const ready = able.find((device) => !isAway(context.calls.deviceState(device.device)));
  return (
    ready ?? fail('device-unavailable', 'The telephone is not registered: switch it on or check its network.')
  );
}

// Device states of a device that cannot ring (devicestate.h). Unknown states get the benefit of the doubt.
function isAway(state: string | undefined): boolean {
  return state === 'UNAVAILABLE' || state === 'INVALID';
}

function channelsOf(user: User, context: Context): readonly ChannelView[] {
  return user.devices.flatMap((device) => context.calls.channelsOf(device.device));
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
  return context.calls.currentName(last.channel) ?? last.channel;
}

/** The caller's own call, or for supervisors anybody's. Throws `Failure` `no-such-channel`, `not-permitted`. */
function own(channel: ChannelId, context: Context): ChannelView {
  const view = context.calls.channel(channel);
  if (view === undefined) fail('no-such-channel', 'There is no such call (any more).');
  const owner = context.directory.byDevice(view.device)?.user;
  if (!context.caller.supervisor && owner?.jid !== context.caller.user.jid) {
    fail('not-permitted', 'This is not your call.');
  }
  return view;
}

/** The channel to hang up: own calls by their eventId; supervisors reach any channel of the telephone system. */
function reachable(channel: ChannelId, context: Context): ChannelId {
  if (context.caller.supervisor && context.calls.channel(channel) === undefined) return channel;
  const view = own(channel, context);
  return context.calls.currentName(view.channel) ?? view.channel;
}

async function transfer(view: ChannelView, request: Target, context: Context): Promise<void> {
  const exten = resolveNumber(request, context.directory, context.settings);
  const user = context.directory.byDevice(view.device)?.user ?? context.caller.user;
  const dialplan = user.context ?? context.settings.context;
  const number = context.settings.showNumber(exten);
  const told = { by: context.caller.jid.bare, channel: view.channel, number };
  if (view.state === 'busy' && view.refChannel !== '') {
    const channel = context.calls.currentName(view.channel) ?? view.channel;
    await context.pbx.blindTransfer(channel, dialplan, exten);
    return context.log.info(told, 'call transferred');
  }
  if (view.state === 'ringing' && !view.outbound && view.refChannel !== '') {
    await context.pbx.redirect(view.refChannel, dialplan, exten);
    return context.log.info(told, 'ringing call deflected');
  }
  fail('no-active-call', 'There is no other party to transfer yet: wait for the answer.');
}
