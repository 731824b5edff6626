import { clientStories } from './clients/stories.ts';
import { startProsody } from './servers/prosody.ts';

clientStories('Prosody', startProsody);
