import { type EjabberdServer, startEjabberd } from '../servers/ejabberd.ts';
import { contactsContract } from './contacts.ts';
import { privilegedContract } from './privileged.ts';

contactsContract('ejabberd', startEjabberd);

let apiUrl = '';
privilegedContract('ejabberd', {
  async start(options) {
    const server: EjabberdServer = await startEjabberd(options);
    ({ apiUrl } = server);
    return server;
  },
  roster: () => ({ PRESENCE_ROSTER: 'ejabberd', EJABBERD_API_URL: apiUrl }),
});
