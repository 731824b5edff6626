import { contactStories } from './contacts.ts';
import { inRealOffice } from './stories.ts';

inRealOffice({ xmpp: 'prosody', pbx: 'asterisk', store: 'memory' }, contactStories);
