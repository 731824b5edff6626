/** Module `conference`: rooms in which several talk. */

import { fail } from '../errors.ts';
import type { Conference } from '../pbx/pbx.ts';
import { attr, attrOr, element, many } from '../protocol/codec.ts';
import { flag, oneOf, pattern, text, word } from '../protocol/value.ts';
import type { Actor } from '../rooms/model.ts';
import { ok, success } from './answers.ts';
import { channelName } from './channel-name.ts';
import { conferenceEvent } from './conference-event.ts';
import { type Context, command, defineModule } from './define.ts';
import { resolveNumber } from './number.ts';
import { channelsOf, supervises } from './reach.ts';
import { dialingDevice, ringOf } from './ringing.ts';

const room = attr(
  pattern(/^[0-9*#]{1,20}$/, 'the name of a room: digits, * and #', '800'),
  'name of the room',
);
const state = attrOr(oneOf('on', 'off'), 'on');

const conferenceMember = element('ConferenceMember', {
  channel: attr(channelName, 'what `Kick` and `Mute` take'),
  name: attr(text('Thomas Weber')),
  number: attr(text('340')),
  muted: attr(flag()),
});

const conferenceElement = element('Conference', {
  room: attr(text('800')),
  target: attr(
    text('800'),
    'number that leads into it; empty for rooms that the configuration does not list',
  ),
  locked: attr(flag()),
  members: many(conferenceMember),
});

/** Module `conference`. */
export const conference = defineModule({
  name: 'conference',
  doc:
    'Conference rooms (ConfBridge). Who is in a room may invite, lock it and mute themselves; supervisors may do so in any room, and mute ' +
    'and remove others.',
  commands: [
    command({
      doc: 'The configured rooms and the ones the user is in; for supervisors every room in use. Members are listed to those who are in the room.',
      access: 'user',
      needs: ['conferences'],
      request: element('Find', {}),
      response: { codec: element('ConferenceList', { conferences: many(conferenceElement) }) },
      async handle(_request, context) {
        const open = await context.pbx.conferences();
        context.rooms.listed(open);
        const { conferences } = context.directory.policy;
        const idle = [...conferences.keys()]
          .filter((name) => !open.some((each) => each.room === name))
          .map((name): Conference => ({ room: name, locked: false, members: [] }));
        const shown = [...open, ...idle].filter((each) => conferences.has(each.room) || sees(each, context));
        return { conferences: shown.map((each) => describe(each, context)) };
      },
    }),
    command({
      doc: 'Calls somebody into a room that the configuration lists.',
      access: 'user',
      audited: true,
      once: true,
      needs: ['conferences', 'originate'],
      request: element('Invite', {
        room,
        target: attr(word('370', 256), 'number, extension, or JID of a user'),
      }),
      response: success,
      async handle(request, context) {
        const { caller, directory, settings } = context;
        const exten = directory.policy.conferences.get(request.room);
        if (exten === undefined)
          fail('not-available', `The room ${request.room} is not configured on this system.`);
        await inside(request.room, context);
        const number = resolveNumber({ target: request.target, prefix: undefined }, directory, settings);
        context.rules.permitDial(caller.user, number, context);
        const dialplan = caller.user.context ?? settings.context;
        const invited = directory.byExtension(number);
        // A user of ours is rung on the telephone, so that no mailbox or forwarding is invited.
        const device = invited && dialingDevice(invited, undefined, context);
        const dialString = device?.dialString ?? `Local/${number}@${dialplan}`;
        await context.pbx.originate({
          ...ringOf(caller.user, dialString, context),
          context: dialplan,
          exten,
        });
        return ok;
      },
    }),
    command({
      doc: 'Sends a member out of the room.',
      access: 'user',
      audited: true,
      needs: ['conferences', 'conferenceKick'],
      request: element('Kick', { room, channel: attr(channelName, 'channel of a `ConferenceMember`') }),
      response: success,
      async handle(request, context) {
        await member(request, context);
        await context.pbx.conferenceKick(request.room, request.channel);
        return ok;
      },
    }),
    command({
      doc: 'Silences a member in the room, or lets them speak again.',
      access: 'user',
      audited: true,
      needs: ['conferences', 'conferenceMute'],
      request: element('Mute', {
        room,
        channel: attr(channelName, 'channel of a `ConferenceMember`'),
        state,
      }),
      response: success,
      async handle(request, context) {
        await member(request, context);
        await context.pbx.conferenceMute(request.room, request.channel, request.state === 'on');
        return ok;
      },
    }),
    command({
      doc: 'Lets nobody else into the room, or everybody again.',
      access: 'user',
      audited: true,
      needs: ['conferences', 'conferenceLock'],
      request: element('Lock', { room, state }),
      response: success,
      async handle(request, context) {
        const conference = await inside(request.room, context);
        const locked = request.state === 'on';
        await context.pbx.conferenceLock(request.room, locked);
        // Asterisk's own answer says how it was: what was told before may be of a room that everybody has left since.
        if (conference.locked !== locked)
          context.rooms.lock(request.room, locked, memberOf(conference, context));
        return ok;
      },
    }),
  ],
  events: [conferenceEvent],
});

/** Whether the caller has a channel in the room. */
function isIn(conference: Conference, context: Context): boolean {
  const own = new Set(
    channelsOf(context.caller.user, context).map((view) => context.calls.currentName(view.channel)),
  );
  return conference.members.some(({ channel }) => own.has(channel));
}

/** Who is in the room sees its members, and so do supervisors without limits to their reach. */
function sees(conference: Conference, context: Context): boolean {
  return isIn(conference, context) || supervises(undefined, context);
}

function describe(conference: Conference, context: Context) {
  const members = sees(conference, context) ? conference.members : [];
  return {
    room: conference.room,
    target: context.directory.policy.conferences.get(conference.room) ?? '',
    locked: conference.locked,
    members: members.map(({ channel, callerName, callerNumber, muted }) => ({
      channel,
      name: callerName,
      number: callerNumber,
      muted,
    })),
  };
}

/** The open room, if the caller is in it or a supervisor. Throws `Failure` `not-permitted`, `not-available`. */
async function inside(name: string, context: Context): Promise<Conference> {
  const open = (await context.pbx.conferences()).find((each) => each.room === name);
  if (open !== undefined && sees(open, context)) return open;
  if (open === undefined && context.caller.supervisor)
    fail('not-available', `Nobody is in the room ${name}.`);
  return fail('not-permitted', `You are not in the room ${name}: call it first.`);
}

/** The caller as the others in the room know them. */
function memberOf(conference: Conference, context: Context): Actor {
  const { user } = context.caller;
  const own = channelsOf(user, context).find((view) =>
    conference.members.some(({ channel }) => channel === context.calls.currentName(view.channel)),
  );
  return { channel: own?.channel ?? '', name: user.fullName, number: user.extension };
}

/** Checks that the channel is a member whom the caller may act on: themselves, or anybody within a supervisor's reach. */
async function member(request: { room: string; channel: string }, context: Context): Promise<void> {
  const { directory, caller } = context;
  const device = directory.deviceOfChannel(request.channel);
  const user = device && directory.byDevice(device)?.user;
  if (user?.jid !== caller.user.jid && !supervises(user, context)) {
    fail('not-permitted', 'You may act on yourself only; others are for supervisors.');
  }
  const open = (await context.pbx.conferences()).find((each) => each.room === request.room);
  if (!open?.members.some(({ channel }) => channel === request.channel)) {
    fail('no-such-channel', `That channel is not in the room ${request.room} (any more).`);
  }
}
