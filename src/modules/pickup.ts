/** `Pickup`: taking a call that rings at a colleague. */

import type { User } from '../directory.ts';
import { fail } from '../errors.ts';
import { attr, element, optional } from '../protocol/codec.ts';
import { parseJid } from '../protocol/jid.ts';
import { text, word } from '../protocol/value.ts';
import { ok, success } from './answers.ts';
import { type Context, command } from './define.ts';
import { resolveNumber } from './number.ts';
import { channelsOf, present } from './reach.ts';
import { demandSilence, freeDevice, ringOf } from './ringing.ts';

/** The command. */
export const pickup = command({
  doc:
    'Takes the call that rings at a colleague of a pickup group, or on another device of one’s own: the device rings, and ' +
    'has the call when it answers.',
  access: 'user',
  audited: true,
  once: true,
  needs: ['pickup'],
  request: element('Pickup', {
    target: attr(word('370', 256), 'internal number, JID, or `eventId` of a `PickupEvent`'),
    device: optional(
      text('Desk phone', 256),
      'name of the device that takes the call; default: the first that can dial',
    ),
  }),
  response: success,
  async handle(request, context) {
    const { user } = context.caller;
    const rung = rungUser(request.target, context);
    if (!mayPickUp(user, rung)) {
      fail('not-permitted', `You share no pickup group with ${rung.fullName}.`);
    }
    const device = freeDevice(user, request.device, context);
    const ringing = channelsOf(rung, context).find(
      (view) => view.state === 'ringing' && !view.outbound && view.device !== device.device,
    );
    if (ringing === undefined) fail('no-active-call', `No call rings at ${rung.fullName} (any more).`);
    if (
      ringing.otherDevice !== '' &&
      context.directory.byDevice(ringing.otherDevice)?.user.jid === user.jid
    ) {
      fail('not-permitted', 'You are the one who calls there.');
    }
    demandSilence(device, context, (view) => view.takes && view.refChannel === ringing.refChannel);
    const ring = ringOf(user, device.dialString, context);
    // While the own device rings, its user sees whose call that is.
    context.calls.takes(ring.uniqueId, ringing.channel);
    await context.pbx.pickup(ring, present(ringing, context));
    return ok;
  },
});

/** Whether the groups let a user take another's calls. Everybody may take their own at another device. */
function mayPickUp(user: User, rung: User): boolean {
  return user.jid === rung.jid || [...rung.callGroups].some((group) => user.pickupGroups.has(group));
}

function rungUser(target: string, context: Context): User {
  const { directory, settings } = context;
  const jid = target.includes('@') ? parseJid(target) : undefined;
  const named = jid === undefined ? directory.byName(target) : directory.byJid(jid.bare);
  if (named !== undefined) return named;
  const number = resolveNumber({ target, prefix: undefined }, directory, settings);
  return directory.byExtension(number) ?? fail('no-such-user', `Nobody has the number ${number} here.`);
}
