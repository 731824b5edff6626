import { startProsody } from '../servers/prosody.ts';
import { contactsContract } from './contacts.ts';

contactsContract('Prosody', startProsody);
