import { startEjabberd } from '../servers/ejabberd.ts';
import { contactsContract } from './contacts.ts';

contactsContract('ejabberd', startEjabberd);
