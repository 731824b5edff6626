/** A call that is parked when the bridge ends, and gone when another begins. */

import { expect } from 'vitest';
import { until } from '../servers/until.ts';
import type { Office } from './office.ts';
import { people } from './people.ts';
import type { Person } from './person.ts';
import { payloadOf } from './wire.ts';

const { anna, bernd } = people;

/** What a client has read of parked calls: type and space of each ParkEvent. */
function parking({ stanzas }: Person): string[] {
  return stanzas.flatMap((stanza) => {
    const payload = stanza.name === 'message' ? payloadOf(stanza) : undefined;
    if (payload?.name !== 'ParkEvent') return [];
    return [`${payload.getChildText('eventType')} ${payload.getChildText('space')}`];
  });
}

/** While there is no bridge. */
async function withoutBridge(office: Office, meanwhile: () => Promise<void>): Promise<void> {
  await office.bridge.stop();
  await meanwhile();
  await office.bridge.start();
}

/** Anna parks Bernd, who hangs up while nobody can be told: by default since there is no bridge. */
export async function parkedMeanwhile(office: Office, away = withoutBridge): Promise<void> {
  const [a, b] = [await office.comeIn(anna), await office.comeIn(bernd)];
  await office.phone(anna).dial(bernd.extension);
  await office.phone(bernd).answer();
  const { eventId: channel } = await a.told('busy');
  await b.told('busy');
  const answer = await a.command('base.Park', { channel });
  expect(answer.name).toBe('Success');
  const space = answer.payload?.getChildText('space') ?? '';
  for (const who of [a, b]) await until('both are told', () => parking(who).length > 0);
  await away(office, () => office.phone(bernd).hangUp());
  await office.bridge.isReady();
  for (const who of [a, b]) {
    await until('the end is told', () => parking(who).length > 1, 20);
    expect(parking(who)).toEqual([`parked ${space}`, `abandoned ${space}`]);
  }
}
