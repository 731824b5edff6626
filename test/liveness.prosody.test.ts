import { livenessContract } from './contract/liveness.ts';
import { startProsody } from './servers/prosody.ts';

livenessContract('Prosody 0.12', startProsody, { tellsAll: true });
livenessContract('Prosody 13', (options) => startProsody({ ...options, version: '13' }), { tellsAll: true });
