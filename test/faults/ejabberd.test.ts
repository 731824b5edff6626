import { faultsIn } from './office.ts';
import { rivalry, xmppSituations } from './xmpp.ts';

faultsIn('ejabberd', [rivalry, ...xmppSituations]);
