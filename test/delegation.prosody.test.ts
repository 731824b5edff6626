import { delegationContract } from './contract/delegation.ts';
import { startProsody } from './servers/prosody.ts';

delegationContract('Prosody 0.12', startProsody);
delegationContract('Prosody 13', (options) => startProsody({ ...options, version: '13' }));
