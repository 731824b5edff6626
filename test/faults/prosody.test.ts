import { asteriskSituations } from './asterisk.ts';
import { bridgeSituations } from './bridge.ts';
import { faultsIn } from './office.ts';
import { redisSituations } from './redis.ts';
import { conflict, xmppSituations } from './xmpp.ts';

faultsIn(
  'prosody',
  [...asteriskSituations, ...redisSituations, conflict, ...xmppSituations],
  bridgeSituations,
);
