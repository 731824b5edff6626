/** Module `xmppuser`: the login handshake and what there is to know about users. */

import type { User } from '../directory.ts';
import { badRequest, fail } from '../errors.ts';
import { element, maybe, optional, textElement } from '../protocol/codec.ts';
import { fullJid, parseJid } from '../protocol/jid.ts';
import { text } from '../protocol/value.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { customCommands } from './custom.ts';
import { type Context, command, defineModule } from './define.ts';
import { addSubscription, permitSubscriptions, sessionOf } from './event.ts';
import { statesOf } from './queue-state.ts';
import { supervises } from './reach.ts';
import { describeUser, userInfo } from './user-info.ts';

const informative = (example: string, doc: string) => textElement(text(example, 256), '', doc);

const clientInfo = element(
  'ClientInfo',
  {
    os: informative('Debian 12', 'operating system'),
    osUser: informative('tweber', 'login name there'),
    clientVersion: informative('1.0', ''),
    user: informative('', ''),
    jid: informative('', 'ignored: the server says who is asking'),
    clientIp: informative('', ''),
    subscribe: maybe(addSubscription),
  },
  'Who the client is, and what it wants to be told.',
);

/** Module `xmppuser`. */
export const xmppuser = defineModule({
  name: 'xmppuser',
  doc: 'Sessions: the login handshake, and what there is to know about users.',
  commands: [
    command({
      doc: 'Opens a session for the sender’s full JID, or replaces the subscriptions of the one that is open.',
      access: 'user',
      request: clientInfo,
      response: { codec: userInfo },
      handle(request, context) {
        const { subscribe, ...client } = request;
        const wanted = subscribe?.subscriptions ?? [];
        const jid = sessionOf(context);
        permitSubscriptions(wanted, context);
        const { subscriptions } = context.sessions.open(jid, client, wanted);
        return describe(context.caller.user, subscriptions, context);
      },
    }),
    command({
      doc: 'The sender’s own `UserInfo` with subscriptions; for supervisors anybody’s. A full JID: with the subscriptions of that session.',
      access: 'user',
      request: element('FindUserInfo', {
        jid: optional(text('mmeyer', 3071), 'user name, bare or full JID; default: the sender'),
      }),
      response: { codec: userInfo },
      handle(request, context) {
        const { caller } = context;
        if (request.jid === undefined)
          return describe(caller.user, subscriptionsOf(caller.session, context), context);
        const { user, session } = lookUp(request.jid, context);
        if (user.jid !== caller.user.jid) demandReach(user, context);
        return describe(user, session && subscriptionsOf(session, context), context);
      },
    }),
    ...customCommands,
  ],
});

function demandReach(user: User, context: Context): void {
  if (supervises(user, context)) return;
  if (!context.caller.supervisor) forSupervisors();
  fail('not-permitted', `${user.fullName} is in none of your groups.`);
}

function forSupervisors(): never {
  return fail('not-permitted', 'Information about other users is shown to supervisors only.');
}

function lookUp(name: string, context: Context) {
  const jid = name.includes('@')
    ? (parseJid(name) ?? badRequest("FindUserInfo: 'jid' is not a JID"))
    : undefined;
  const user = jid === undefined ? context.directory.byName(name) : context.directory.byJid(jid.bare);
  if (user === undefined) {
    // Others' names are nobody's business but supervisors'.
    if (!context.caller.supervisor) forSupervisors();
    fail('no-such-user', `There is no user '${name.slice(0, 60)}'.`);
  }
  return { user, session: jid && fullJid(jid) };
}

function subscriptionsOf(session: Context['caller']['session'], context: Context): readonly Subscription[] {
  return (session && context.sessions.get(session)?.subscriptions) ?? [];
}

function describe(user: User, subscriptions: readonly Subscription[] | undefined, context: Context) {
  return describeUser(user, subscriptions, {
    messages: context.mailboxes.of(user.mailbox),
    queues: statesOf(user, context.queueing.queues(), context.directory),
    deflection: context.deflections.of(user.extension),
    directory: context.directory,
    ringSeconds: Math.round(context.settings.ringMs / 1000),
  });
}
