import { startProsody } from '../servers/prosody.ts';
import { contactsContract } from './contacts.ts';
import { privilegedContract } from './privileged.ts';

contactsContract('Prosody', startProsody);
privilegedContract('Prosody', { start: startProsody, roster: () => ({ PRESENCE_ROSTER: 'privilege' }) });
