import { describe, expect, onTestFinished, test } from 'vitest';
import { startProsody } from '../servers/prosody.ts';
import { until } from '../servers/until.ts';
import { find } from '../xmpp/tree.ts';
import { contactsContract } from './contacts.ts';
import { DOMAIN, open, PBX, people, sees, serverOptions, subscribe } from './office.ts';
import { privilegedContract } from './privileged.ts';

contactsContract('Prosody', startProsody);
privilegedContract('Prosody', { start: startProsody, roster: () => ({ PRESENCE_ROSTER: 'privilege' }) });

describe('user activity', () => {
  test('says that somebody is on the phone, and that it is over', async () => {
    const server = await startProsody({ ...serverOptions, privilege: true });
    onTestFinished(() => server.stop());
    const office = await open(server, { PRESENCE_ACTIVITY: 'true' });
    const anna = await office.login(people.anna);
    const published = async () => {
      const items = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/activity'/></pubsub>`;
      const answer = await anna.ask(`anna@${DOMAIN}`, items);
      const item = find(find(find(find(answer, 'pubsub'), 'items'), 'item'), 'activity');
      return item && (find(find(item, 'talking'), 'on_the_phone') === undefined ? 'nothing' : 'on the phone');
    };
    office.asterisk.phone('340').call('600');
    await until('it is published', async () => (await published()) === 'on the phone');
    office.asterisk.phone('340').hangup();
    await until('it is over', async () => (await published()) === 'nothing');
    office.asterisk.phone('340').call('600');
    await until('it is published again', async () => (await published()) === 'on the phone');
    await office.stop();
    expect(await published()).toBe('nothing');
  });
});

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
