import { restartStories } from './restarts.ts';
import { inOffice } from './stories.ts';

inOffice({ xmpp: 'ejabberd', pbx: 'simulator', store: 'redis' }, restartStories);
