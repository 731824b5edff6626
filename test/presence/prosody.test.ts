import { expect, onTestFinished, test } from 'vitest';
import { startProsody } from '../servers/prosody.ts';
import { until } from '../servers/until.ts';
import { activityContract } from './activity.ts';
import { contactsContract } from './contacts.ts';
import { open, PBX, people, sees, serverOptions, subscribe } from './office.ts';
import { privilegedContract } from './privileged.ts';

contactsContract('Prosody', startProsody);
privilegedContract('Prosody', { start: startProsody, roster: () => ({ PRESENCE_ROSTER: 'privilege' }) });

activityContract('Prosody', startProsody);

test('where Prosody tells of everybody, only who is online is told', async () => {
  const server = await startProsody({ ...serverOptions, privilege: true });
  onTestFinished(() => server.stop());
  const office = await open(server);
  const annasPhone = `anna@${PBX}/phone`;
  const [bernd, carla] = [await office.login(people.bernd), await office.login(people.carla)];
  for (const user of [bernd, carla]) {
    await subscribe(user, `anna@${PBX}`);
    await sees(user, annasPhone, 'available');
  }
  await server.restart();
  await until('the bridge is back', () => office.bridge.readiness().ready, 30);
  const again = await office.login(people.bernd);
  await sees(again, annasPhone, 'available');
  await until('nothing waits', () => office.bridge.presence.waiting === 0);
  const before = office.bridge.presence.sent;
  office.asterisk.phone('340').call('600');
  await sees(again, annasPhone, 'dnd: On the phone');
  office.asterisk.phone('340').hangup();
  await sees(again, annasPhone, 'available');
  expect(office.bridge.presence.sent - before).toBe(2);
});
