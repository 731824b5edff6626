import { type EjabberdServer, startEjabberd } from '../servers/ejabberd.ts';
import { activityContract } from './activity.ts';
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

// COMPAT: the first version whose mod_privilege lets a component send IQs in its users' names.
activityContract('ejabberd 26', (options) =>
  startEjabberd({
    ...options,
    version: '26',
    privilege: false,
    extraConfig: `  mod_caps: {}
  mod_pubsub:
    plugins: [flat, pep]
  mod_privilege:
    iq:
      "http://jabber.org/protocol/pubsub":
        set: component
`,
  }),
);
