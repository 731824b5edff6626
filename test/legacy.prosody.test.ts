import { legacyStories } from './legacy/stories.ts';
import { startProsody } from './servers/prosody.ts';

legacyStories('Prosody', startProsody);
