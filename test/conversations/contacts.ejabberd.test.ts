import { contactStories } from './contacts.ts';
import { inOffice } from './stories.ts';

inOffice({ xmpp: 'ejabberd', pbx: 'simulator', store: 'memory' }, contactStories);
