import { xmppContract } from './contract/xmpp.ts';
import { startEjabberd } from './servers/ejabberd.ts';

xmppContract('ejabberd', startEjabberd);
