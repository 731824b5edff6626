import { phonebookStories } from './phonebook/stories.ts';
import { startEjabberd } from './servers/ejabberd.ts';

phonebookStories('ejabberd 23', startEjabberd);
phonebookStories('ejabberd 26', (options) => startEjabberd({ ...options, version: '26' }));
