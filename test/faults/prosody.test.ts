import { asteriskSituations } from './asterisk.ts';
import { bridgeSituations, survivesRestart } from './bridge.ts';
import { faultsIn } from './office.ts';
import { redisSituations } from './redis.ts';
import { conflict, xmppSituations } from './xmpp.ts';

faultsIn(
  'prosody',
  [...asteriskSituations, ...redisSituations, conflict, ...xmppSituations],
  bridgeSituations,
  async (office, situation) => {
    if (redisSituations.includes(situation)) await survivesRestart(office);
  },
);
