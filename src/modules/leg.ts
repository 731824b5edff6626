/** Commands on one leg of a call: digits, silence, a third ear. */

import { fail } from '../errors.ts';
import { attr, attrOr, element, optional } from '../protocol/codec.ts';
import { oneOf, pattern, text } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { channelName } from './channel-name.ts';
import { command } from './define.ts';
import { conversation, ownCall, present } from './reach.ts';
import { freeDevice, ringOf } from './ringing.ts';

/** `SendDigits`, `Mute`, `Listen`. */
export const legCommands = [
  command({
    doc: 'Sends DTMF digits to the other party, or to the service that answered.',
    access: 'user',
    audited: true,
    needs: ['sendDigits'],
    request: element('SendDigits', {
      channel: attr(channelName, 'eventId of the user’s call'),
      digits: attr(
        pattern(/^[0-9A-D*#]{1,32}$/, '1 to 32 of 0-9, A-D, * and #', '1234#'),
        'in the order in which they are pressed',
      ),
    }),
    response: success,
    async handle({ channel, digits }, context) {
      const view = ownCall(channel, context);
      if (view.state !== 'busy') fail('no-active-call', 'Nobody has answered yet: wait for the answer.');
      if (view.refChannel === '') await context.pbx.sendDigits(present(view, context), digits, 'received');
      else await context.pbx.sendDigits(view.refChannel, digits, 'sent');
      return ok;
    },
  }),
  command({
    doc: 'Silences the user’s side of a call, or gives it its sound back.',
    access: 'user',
    audited: true,
    needs: ['mute'],
    request: element('Mute', {
      channel: attr(channelName, 'eventId of the user’s call'),
      state: attrOr(oneOf('on', 'off'), 'on', '`on`: silent'),
      direction: attrOr(
        oneOf('in', 'out', 'all'),
        'in',
        '`in`: what the user says, `out`: what the user hears, `all`: both',
      ),
    }),
    response: success,
    async handle({ channel, state, direction }, context) {
      const view = ownCall(channel, context);
      if (view.state !== 'busy') fail('no-active-call', 'Nobody has answered yet: there is nothing to mute.');
      await context.pbx.mute(present(view, context), direction, state === 'on');
      return ok;
    },
  }),
  command({
    doc:
      'A supervisor’s device joins a call. Off unless the configuration lists the modes; where it names an extension that tells the ' +
      'parties, that speaks first, and without it nobody listens.',
    access: 'supervisor',
    audited: true,
    once: true,
    needs: ['listen', 'announce'],
    off: ({ listen }) => (listen === undefined ? 'Listening is switched off on this system.' : undefined),
    request: element('Listen', {
      channel: attr(channelName, 'eventId of a user’s call'),
      mode: attrOr(
        oneOf('listen', 'whisper', 'barge'),
        'listen',
        '`listen`: heard by nobody; `whisper`: heard by the user alone; `barge`: heard by both',
      ),
      device: optional(text('Desk phone', 256), 'the supervisor’s device; default: the first that can dial'),
    }),
    response: success,
    async handle(request, context) {
      const { user } = context.caller;
      const { listen } = context.directory.policy;
      if (listen?.modes.has(request.mode) !== true) {
        fail('not-permitted', `Only these modes are allowed here: ${[...(listen?.modes ?? [])].join(', ')}.`);
      }
      const view = conversation(request.channel, context);
      if (context.directory.byDevice(view.device)?.user.jid === user.jid) {
        fail('not-permitted', 'This is your own call.');
      }
      const device = freeDevice(user, request.device, context);
      const channel = present(view, context);
      if (listen.announce !== undefined) {
        await context.pbx.announce(channel, context.settings.context, listen.announce);
      }
      await context.pbx.listen(ringOf(user, device.dialString, context), channel, request.mode);
      return ok;
    },
  }),
];
