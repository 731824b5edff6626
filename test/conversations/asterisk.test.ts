import { callStories } from './calls.ts';
import { commandStories } from './commands.ts';
import { inRealOffice } from './stories.ts';

inRealOffice({ xmpp: 'prosody', pbx: 'asterisk', store: 'memory' }, callStories, commandStories);
