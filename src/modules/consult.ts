/** Attended transfer: consult, then complete or cancel, whichever way the consultation was begun. */

import type { ChannelView } from '../calls/changes.ts';
import { fail } from '../errors.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import { attr, element } from '../protocol/codec.ts';
import { word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { channelName } from './channel-name.ts';
import { type Context, command } from './define.ts';
import { prefix, resolveNumber } from './number.ts';
import { channelsOf, conversation, ownCall, present } from './reach.ts';

const ending = { channel: attr(channelName, 'eventId of the call that consults, or of the one that waits') };

/** `AttendedTransfer`, `CompleteTransfer`, `CancelTransfer`. */
export const consultCommands = [
  command({
    doc:
      'Holds the other party and calls the target on the same channel: `ChannelEvent`s show whom the user talks to. When the target ' +
      'declines, the user is back with the other party; hanging up completes the transfer.',
    access: 'user',
    audited: true,
    once: true,
    needs: ['consults', 'attendedTransfer'],
    request: element('AttendedTransfer', {
      channel: attr(channelName, 'eventId of the user’s call'),
      target: attr(word('320', 256), 'number, extension, or JID of a user'),
      prefix,
    }),
    response: success,
    async handle(request, context) {
      const view = conversation(request.channel, context);
      const exten = resolveNumber(request, context.directory, context.settings);
      const user = context.directory.byDevice(view.device)?.user ?? context.caller.user;
      const channel = present(view, context);
      if (await context.pbx.consults(channel)) {
        fail('rejected', 'This call consults somebody already: complete or cancel that first.');
      }
      context.rules.permitDial(user, exten, context);
      await context.pbx.attendedTransfer(channel, user.context ?? context.settings.context, exten);
      return ok;
    },
  }),
  command({
    doc: 'Connects the waiting party with the consulted one. The user’s own calls with both end.',
    access: 'user',
    audited: true,
    needs: ['consults', 'hangup', 'join'],
    request: element('CompleteTransfer', ending),
    response: success,
    async handle({ channel }, context) {
      const view = ownCall(channel, context);
      if (await context.pbx.consults(present(view, context))) {
        await context.pbx.hangup(present(view, context));
        return ok;
      }
      const { waiting, consulting } = twoCalls(view, context);
      const [one, other] = [waiting.refChannel, consulting.refChannel];
      if (one === '' || other === '')
        fail('no-active-call', 'One of your two calls has no other party to connect.');
      if (consulting.state !== 'busy') {
        fail(
          'no-active-call',
          'The consulted party has not answered yet: wait for the answer, or use Transfer.',
        );
      }
      await context.pbx.join(one, other);
      return ok;
    },
  }),
  command({
    doc: 'Ends the consultation. After `AttendedTransfer` the user is back with the waiting party; one held by the telephone is taken back there.',
    access: 'user',
    audited: true,
    needs: ['consults', 'cancelTransfer', 'hangup'],
    request: element('CancelTransfer', ending),
    response: success,
    async handle({ channel }, context) {
      const view = ownCall(channel, context);
      if (await context.pbx.consults(present(view, context))) {
        await context.pbx.cancelTransfer(present(view, context));
        return ok;
      }
      await context.pbx.hangup(present(twoCalls(view, context).consulting, context));
      return ok;
    },
  }),
];

/**
 * A consultation begun on the telephone: two calls of one user, one on hold. Throws `Failure` `no-active-call` where there is
 * none, `rejected` where it is not clear which calls are meant.
 */
export function twoCalls(
  view: ChannelView,
  context: Context,
): { waiting: ChannelView; consulting: ChannelView } {
  const owner = context.directory.byDevice(view.device)?.user ?? context.caller.user;
  const others = channelsOf(owner, context).filter(
    (each) => each.channel !== view.channel && each.held !== view.held && isCall(each),
  );
  const [other, another] = others;
  if (other === undefined)
    fail('no-active-call', 'There is no consultation: no second call with one of the two on hold.');
  if (another !== undefined) fail('rejected', 'There are more than two calls: end or hold the others first.');
  return view.held ? { waiting: view, consulting: other } : { waiting: other, consulting: view };
}

function isCall(view: ChannelView): view is ChannelView & { readonly refChannel: ChannelId | '' } {
  return view.state === 'busy' || (view.state === 'ringing' && view.outbound);
}
