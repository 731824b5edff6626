import { legacyStories } from './legacy/stories.ts';
import { startEjabberd } from './servers/ejabberd.ts';

legacyStories('ejabberd', startEjabberd);
