/** What telephones show where the server trusts the bridge with more. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../servers/redis.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import type { User } from '../xmpp/client.ts';
import { elementsOf, find, textIn } from '../xmpp/tree.ts';
import { DOMAIN, open, PBX, people, seen, sees, serverOptions, subscribe } from './office.ts';

const { anna, bernd, carla } = people;
const annasPhone = `anna@${PBX}/phone`;
const own = `anna@${DOMAIN}/phone`;

/** What differs between the servers. */
export interface PrivilegedServer {
  start(options: XmppOptions): Promise<XmppServer>;
  /** Settings with which the bridge can fill rosters. */
  roster(server: XmppServer): Readonly<Record<string, string>>;
}

/** Both see one another's presence from now on. */
async function befriend(a: User, b: User): Promise<void> {
  const [left, right] = [a, b].map(({ jid }) => jid.slice(0, jid.indexOf('/')));
  await a.send(`<presence type='subscribe' to='${right}'/>`);
  await until('the request has come', () => seen(b, left ?? '').includes('subscribe'));
  await b.send(`<presence type='subscribed' to='${left}'/>`);
  await b.send(`<presence type='subscribe' to='${left}'/>`);
  await until('the other request has come', () => seen(a, right ?? '').includes('subscribe'));
  await a.send(`<presence type='subscribed' to='${right}'/>`);
  await until('they see one another', () => seen(b, a.jid).length > 0 && seen(a, b.jid).length > 0);
}

async function roster(user: User): Promise<readonly string[]> {
  const bare = user.jid.slice(0, user.jid.indexOf('/'));
  const query = find(await user.ask(bare, `<query xmlns='jabber:iq:roster'/>`), 'query');
  return elementsOf(query).map((item) => {
    const { jid, name, subscription } = item.attrs;
    return `${jid} ${name} ${subscription} ${elementsOf(item).map(textIn).join()}`;
  });
}

/** Runs the suite. */
export function privilegedContract(name: string, kind: PrivilegedServer): void {
  describe(`telephones as the users' own resources on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await kind.start({ ...serverOptions, privilege: true, anySender: true });
    });
    afterAll(() => server?.stop());

    test('show to whoever sees the user, and to the user; to nobody when the option is off', async () => {
      const office = await open(server);
      const [self, friend, stranger] = [
        await office.login(anna),
        await office.login(bernd),
        await office.login(carla),
      ];
      await befriend(self, friend);
      await office.stop();
      office.asterisk.phone('340').call('600');
      await office.start({ PRESENCE_OWN_RESOURCE: 'true' });
      await sees(friend, own, 'dnd: On the phone');
      await sees(self, own, 'dnd: On the phone');
      const late = await office.login(bernd);
      await sees(late, own, 'dnd: On the phone');
      office.asterisk.phone('340').hangup();
      for (const user of [self, friend, late]) await sees(user, own, 'available');
      expect(friend.stanzas.find(({ attrs }) => attrs.from === own)?.getChildText('priority')).toBe('-1');
      await office.stop();
      for (const user of [self, friend, late]) await sees(user, own, 'unavailable');
      await office.start();
      await subscribe(friend, `anna@${PBX}`);
      await sees(friend, annasPhone, 'available');
      expect(seen(friend, own).at(-1)).toBe('unavailable');
      expect(seen(stranger, own)).toEqual([]);
    });

    test('are taken back by a start without the option, where a crash left them behind', async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const office = await open(server, { STORE: 'redis', REDIS_URL: redis.url });
      const self = await office.login(anna);
      await office.stop();
      const admin = new Redis(redis.url);
      onTestFinished(() => admin.disconnect());
      await admin.hset('offhook:facts', 'own-resource', 'shown');
      await office.start();
      await sees(self, own, 'unavailable');
      await until(
        'that is done with',
        async () => (await admin.hexists('offhook:facts', 'own-resource')) === 0,
      );
    });

    test('telephones are put into the rosters of the same group, once', async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const stored = { STORE: 'redis', REDIS_URL: redis.url, ...kind.roster(server) };
      const office = await open(server, { ...stored, PRESENCE_ROSTER: 'none' });
      const [colleague, stranger] = [await office.login(bernd), await office.login(carla)];
      // The other tests may have left an entry.
      await colleague.ask(
        `bernd@${DOMAIN}`,
        `<query xmlns='jabber:iq:roster'><item jid='anna@${PBX}' subscription='remove'/></query>`,
        'set',
      );
      await office.stop();
      await office.start(kind.roster(server));
      await until('the entry is there', async () =>
        (await roster(colleague)).includes(`anna@${PBX} Anna Müller (340) to Sales`),
      );
      await sees(colleague, annasPhone, 'available');
      expect((await roster(stranger)).filter((item) => item.includes(`@${PBX}`))).toEqual([]);
      await colleague.ask(
        `bernd@${DOMAIN}`,
        `<query xmlns='jabber:iq:roster'><item jid='anna@${PBX}' subscription='remove'/></query>`,
        'set',
      );
      await office.stop();
      await office.start(kind.roster(server));
      await subscribe(stranger, `bernd@${PBX}`);
      await sees(stranger, `bernd@${PBX}/phone`, 'available');
      expect((await roster(colleague)).filter((item) => item.startsWith(`anna@${PBX}`))).toEqual([]);
    });

    test('a chat status sets do-not-disturb and pauses in queues, and gives both back', async () => {
      const office = await open(server, { PRESENCE_DND_FROM_CHAT: 'anna' });
      const { database } = office.asterisk;
      const user = await office.login(anna);
      const paused = () => office.asterisk.paused('Support');
      await user.send('<presence><show>dnd</show></presence>');
      await until(
        'do-not-disturb is set',
        () => database.get('DND/340') === 'YES' && paused().includes('340'),
      );
      // What was so before is left as it is.
      database.set('DND/370', 'YES');
      const other = await office.login(bernd);
      await other.send('<presence><show>dnd</show></presence>');
      await subscribe(other, `anna@${PBX}`);
      await sees(other, annasPhone, 'dnd: Do not disturb');
      await user.send('<presence/>');
      await until('all is as before', () => !database.has('DND/340') && paused().length === 0);
      await until('nothing is left behind', () => !database.has('OFFHOOK_DND/340'));
      await sees(other, annasPhone, 'available');
      expect(database.get('DND/370')).toBe('YES');
    });
  });

  describe(`a server that does not let the bridge speak for its users: ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await kind.start({ ...serverOptions, privilege: true });
    });
    afterAll(() => server?.stop());

    test('is asked once, and the telephones are contacts all the same', async () => {
      const office = await open(server, { PRESENCE_OWN_RESOURCE: 'true' });
      await until('the log says what to do', () =>
        office.lines.some((line) => line.includes('validate_from_addresses')),
      );
      await until('the stream is up again', () => office.bridge.readiness().ready, 20);
      const user = await office.login(bernd);
      await subscribe(user, `anna@${PBX}`);
      await sees(user, annasPhone, 'available');
      expect(office.lines.filter((line) => line.includes('validate_from_addresses'))).toHaveLength(1);
    });
  });
}
