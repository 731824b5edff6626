import { faultsIn } from './office.ts';
import { xmppSituations } from './xmpp.ts';

faultsIn('ejabberd', xmppSituations);
