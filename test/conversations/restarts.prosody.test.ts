import { restartStories } from './restarts.ts';
import { inOffice } from './stories.ts';

inOffice({ xmpp: 'prosody', pbx: 'simulator', store: 'redis' }, restartStories);
