import { livenessContract } from './contract/liveness.ts';
import { startEjabberd } from './servers/ejabberd.ts';

// COMPAT: ejabberd's privileged presence holds what clients send, so a client that vanishes is not in it.
livenessContract('ejabberd 23', startEjabberd, { tellsAll: false });
livenessContract('ejabberd 26', (options) => startEjabberd({ ...options, version: '26' }), {
  tellsAll: false,
});
