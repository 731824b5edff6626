import { clientStories } from './clients/stories.ts';
import { startEjabberd } from './servers/ejabberd.ts';

clientStories('ejabberd', startEjabberd);
