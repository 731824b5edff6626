/** Module `event`: which events a session gets. */

import { badRequest, fail } from '../errors.ts';
import { attr, attrOr, element, type Infer, many } from '../protocol/codec.ts';
import type { FullJid } from '../protocol/jid.ts';
import { oneOf, pattern, text } from '../protocol/value.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { type Context, command, defineModule } from './define.ts';

// Names of modules and events that this version does not know are taken, too: clients subscribe to what a later one may send.
const name = (example: string) =>
  pattern(/^(?:\*|[A-Za-z][A-Za-z0-9_.-]{0,63})$/, "a name of letters and digits, or '*' for all", example);

const attributeFilter = element(
  'AttributeFilter',
  {
    name: attr(name('queue'), 'name of an attribute or child element of the event'),
    equals: attr(text('Support', 256), 'the value it must have'),
  },
  'Narrows a subscription. Several filters on one subscription must all match.',
);

/** `Subscription`, in requests and in `SubscriptionList`. */
export const subscription = element(
  'Subscription',
  {
    module: attr(name('base'), 'module name, or `*`'),
    type: attr(name('ChannelEvent'), 'event name, or `*`'),
    scope: attrOr(
      oneOf('user', 'supervisor'),
      'user',
      '`user` (default): own events; `supervisor`: those of everybody within the supervisor’s reach',
    ),
    filters: many(attributeFilter, 16),
  },
  'One thing the session wants to be told.',
);

/** `SubscriptionList`: the session's effective list in canonical form. */
export const subscriptionList = element('SubscriptionList', { subscriptions: many(subscription) });

/** `AddSubscription`, as a command and inside `ClientInfo`. */
export const addSubscription = element('AddSubscription', { subscriptions: many(subscription, 200) });

const removeSubscription = element('RemoveSubscription', { subscriptions: many(subscription, 200) });

/**
 * Whether the caller may hold these subscriptions. Throws `Failure` `not-permitted` where one needs a role that the caller
 * has not.
 */
export function permitSubscriptions(wanted: readonly Subscription[], context: Context): void {
  if (context.caller.supervisor) return;
  if (wanted.some((each) => each.scope === 'supervisor')) {
    fail(
      'not-permitted',
      "Subscriptions of scope 'supervisor' need the role xmpp.supervisor; nothing was changed.",
    );
  }
}

/** The session that is asking. Throws `bad-request` where the sender's JID has no resource to send events to. */
export function sessionOf(context: Context): FullJid {
  return (
    context.caller.session ?? badRequest('events go to full JIDs only: send this from a JID with a resource')
  );
}

function some(request: Infer<typeof addSubscription>, command: string): readonly Subscription[] {
  if (request.subscriptions.length === 0)
    badRequest(`${command}: at least one element 'Subscription' is expected`);
  return request.subscriptions;
}

/** Module `event`. */
export const event = defineModule({
  name: 'event',
  doc: 'Subscriptions: which events a session gets. An event goes to a session once, however many of its subscriptions match.',
  commands: [
    command({
      doc: 'Adds subscriptions to the session, all or nothing. A session that never said `ClientInfo` is opened by it.',
      access: 'user',
      request: addSubscription,
      response: { codec: subscriptionList },
      handle(request, context) {
        const wanted = some(request, 'AddSubscription');
        permitSubscriptions(wanted, context);
        return context.sessions.subscribe(sessionOf(context), wanted);
      },
    }),
    command({
      doc: 'Removes subscriptions from the session. Removing what is not there changes nothing and succeeds.',
      access: 'user',
      request: removeSubscription,
      response: { codec: subscriptionList },
      handle(request, context) {
        const unwanted = some(request, 'RemoveSubscription');
        return context.sessions.unsubscribe(sessionOf(context), unwanted) ?? { subscriptions: [] };
      },
    }),
  ],
});
