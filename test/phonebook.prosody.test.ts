import { phonebookStories } from './phonebook/stories.ts';
import { startProsody } from './servers/prosody.ts';

phonebookStories('Prosody 0.12 as it comes', (options) =>
  startProsody({ ...options, cards: 'vcard_legacy' }),
);
phonebookStories('Prosody 13', (options) => startProsody({ ...options, version: '13' }));
