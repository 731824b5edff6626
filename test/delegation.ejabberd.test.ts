import { delegationContract } from './contract/delegation.ts';
import { startEjabberd } from './servers/ejabberd.ts';

delegationContract('ejabberd 23', startEjabberd);
delegationContract('ejabberd 24', (options) => startEjabberd({ ...options, version: '24' }));
