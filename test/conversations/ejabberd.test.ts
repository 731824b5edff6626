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
  sessionStories,
);
