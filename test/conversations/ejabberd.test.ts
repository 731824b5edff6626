import { callStories } from './calls.ts';
import { commandStories } from './commands.ts';
import { sessionStories } from './sessions.ts';
import { inOffice } from './stories.ts';
import { subscriptionStories } from './subscriptions.ts';

inOffice(
  { xmpp: 'ejabberd', pbx: 'simulator', store: 'memory' },
  callStories,
  commandStories,
  subscriptionStories,
);
// An office of its own: a session is asked about in its turn, behind those that the other stories left.
inOffice({ xmpp: 'ejabberd', pbx: 'simulator', store: 'memory' }, sessionStories);
