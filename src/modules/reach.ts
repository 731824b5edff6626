/** Whose calls a request may touch: one's own, and for supervisors those within their reach. */

import type { ChannelView } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import { fail } from '../errors.ts';
import type { ChannelId } from '../pbx/pbx.ts';
import { parseJid } from '../protocol/jid.ts';
import { reaches } from '../rules/rules.ts';
import type { Context } from './define.ts';

/** A user's calls on all devices. */
export function channelsOf(user: User, context: Context): readonly ChannelView[] {
  return user.devices.flatMap((device) => context.calls.channelsOf(device.device));
}

/** Whether the caller is a supervisor whose reach includes this user; undefined: somebody who is no user of ours. */
export function supervises(user: User | undefined, { caller, directory }: Context): boolean {
  return caller.supervisor && reaches(caller.user, user, directory.policy);
}

/** The caller's own call, or one within a supervisor's reach. Throws `Failure` `no-such-channel`, `not-permitted`. */
export function ownCall(channel: ChannelId, context: Context): ChannelView {
  const view = context.calls.channel(channel);
  if (view === undefined) fail('no-such-channel', 'There is no such call (any more).');
  const owner = context.directory.byDevice(view.device)?.user;
  if (owner?.jid === context.caller.user.jid || supervises(owner, context)) return view;
  const text = context.caller.supervisor
    ? 'This is a call of somebody in none of your groups.'
    : 'This is not your call.';
  return fail('not-permitted', text);
}

/** A call as {@link ownCall} that has another party to talk to. Throws `Failure` `no-active-call` besides. */
export function conversation(
  channel: ChannelId,
  context: Context,
): ChannelView & { readonly refChannel: ChannelId } {
  const view = ownCall(channel, context);
  const { refChannel } = view;
  if (view.state === 'busy' && refChannel !== '') return { ...view, refChannel };
  return fail('no-active-call', 'There is no other party in this call yet: wait for the answer.');
}

/** The channel to hang up: own calls by their eventId; a supervisor's reach includes channels that are no user's. */
export function hangable(channel: ChannelId, context: Context): ChannelId {
  if (context.calls.channel(channel) === undefined && supervises(undefined, context)) return channel;
  return present(ownCall(channel, context), context);
}

/** What the telephone system calls the channel now. */
export function present(view: ChannelView, context: Context): ChannelId {
  return context.calls.currentName(view.channel) ?? view.channel;
}

/** The user of that name or JID. Throws `Failure` `no-such-user`. */
export function identified(identity: string, context: Context): User {
  const jid = parseJid(identity);
  const user = context.directory.byName(identity) ?? (jid && context.directory.byJid(jid.bare));
  return user ?? fail('no-such-user', `There is no user '${identity.slice(0, 60)}'.`);
}
