/** What hosted contacts do on every real server. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../servers/redis.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { elementsOf, find, textIn } from '../xmpp/tree.ts';
import { DOMAIN, open, PBX, people, place, seen, sees, serverOptions, subscribe } from './office.ts';

const { anna, bernd, carla } = people;
const annasPhone = `anna@${PBX}/phone`;
const FREE = 'available';
const RINGING = 'away: Ringing';
const TALKING = 'dnd: On the phone';
const DND = 'dnd: Do not disturb';
const UNKNOWN = 'xa: Telephone state unknown';

/** Runs the suite on a server that `start` starts. */
export function contactsContract(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`telephones as contacts on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await start(serverOptions);
    });
    afterAll(() => server?.stop());

    test('a colleague adds one, and sees free, ringing, on the phone and free again', async () => {
      const office = await open(server);
      const watcher = await office.login(bernd);
      await subscribe(watcher, `anna@${PBX}`);
      await until('the request is granted', () => seen(watcher, `anna@${PBX}`).includes('subscribed'));
      const nick = watcher.stanzas.find(({ attrs }) => attrs.type === 'subscribed')?.getChildText('nick');
      expect(nick).toBe('Anna Müller (340)');
      await sees(watcher, annasPhone, FREE);
      const phone = office.asterisk.phone('340');
      office.asterisk.phone('320').call('340');
      await sees(watcher, annasPhone, RINGING);
      phone.answer();
      await sees(watcher, annasPhone, TALKING);
      phone.hold();
      phone.unhold();
      phone.hangup();
      await sees(watcher, annasPhone, FREE);
      expect(seen(watcher, annasPhone)).toEqual([FREE, RINGING, TALKING, FREE]);
      await watcher.send(`<presence type='unsubscribe' to='anna@${PBX}'/>`);
      await sees(watcher, annasPhone, 'unavailable');
    });

    test('the contact by extension is the same telephone; dialing is being on the phone', async () => {
      const office = await open(server);
      const watcher = await office.login(bernd);
      await subscribe(watcher, `340@${PBX}`);
      await sees(watcher, `340@${PBX}/phone`, FREE);
      office.asterisk.phone('340').call('600');
      await sees(watcher, `340@${PBX}/phone`, TALKING);
      office.asterisk.phone('340').hangup();
      await sees(watcher, `340@${PBX}/phone`, FREE);
      office.asterisk.phone('340').unregister();
      await sees(watcher, `340@${PBX}/phone`, 'unavailable');
      office.asterisk.phone('340').register();
      await sees(watcher, `340@${PBX}/phone`, FREE);
    });

    test('who logs in later is told by the probe of the server, also after a restart of the bridge', async () => {
      const redis = await startRedis();
      onTestFinished(() => redis.stop());
      const office = await open(server, { STORE: 'redis', REDIS_URL: redis.url });
      const before = await office.login(carla);
      await subscribe(before, `anna@${PBX}`);
      await sees(before, annasPhone, FREE);
      await office.stop();
      await sees(before, annasPhone, 'unavailable');
      office.asterisk.phone('340').call('600');
      await office.start();
      await sees(before, annasPhone, TALKING);
      const late = await office.login(carla, 'late');
      await sees(late, annasPhone, TALKING);
      office.asterisk.phone('340').hangup();
      await sees(before, annasPhone, FREE);
      await sees(late, annasPhone, FREE);
      await before.send(`<presence type='unsubscribe' to='anna@${PBX}'/>`);
      await sees(before, annasPhone, 'unavailable');
    });

    test('the telephone is the one where somebody sits: idle, ringing and in a call', async () => {
      const office = await open(server);
      const [watcher, user] = [await office.login(bernd), await office.login(anna)];
      const cmd = (command: string) =>
        user.ask(
          PBX,
          `<cmd xmlns='http://www.pascom.net/mobydick' module='location'>${command}</cmd>`,
          'set',
        );
      const relocate = () => cmd(`<RelocateUser location='${place.name}'/>`);
      await subscribe(watcher, `anna@${PBX}`);
      await sees(watcher, annasPhone, FREE);
      const own = office.asterisk.phone('340');
      const desk = office.asterisk.phone(place.extension);
      desk.register();
      // Nobody's, so nobody is seen there.
      desk.call('600');
      own.call('600');
      await sees(watcher, annasPhone, TALKING);
      own.hangup();
      await sees(watcher, annasPhone, FREE);
      // A call in progress becomes hers.
      expect((await relocate()).attrs.type).toBe('result');
      await sees(watcher, annasPhone, TALKING);
      desk.hangup();
      await sees(watcher, annasPhone, FREE);
      office.asterisk.phone('320').call(place.extension);
      await sees(watcher, annasPhone, RINGING);
      desk.answer();
      await sees(watcher, annasPhone, TALKING);
      // She gets up, and it is no longer she who talks there.
      expect((await cmd('<LogoutUser/>')).attrs.type).toBe('result');
      await sees(watcher, annasPhone, FREE);
      desk.hangup();
      // Her own telephone is gone: she is where the other one is.
      own.unregister();
      await sees(watcher, annasPhone, 'unavailable');
      await relocate();
      await sees(watcher, annasPhone, FREE);
      await cmd('<LogoutUser/>');
      await sees(watcher, annasPhone, 'unavailable');
    });

    test('do-not-disturb in the AstDB shows, and a call shows instead', async () => {
      const office = await open(server);
      const watcher = await office.login(bernd);
      await subscribe(watcher, `anna@${PBX}`);
      await sees(watcher, annasPhone, FREE);
      office.asterisk.emit('DeviceStateChange', { Device: 'Custom:DND340', State: 'INUSE' });
      await sees(watcher, annasPhone, DND);
      office.asterisk.phone('340').call('600');
      await sees(watcher, annasPhone, TALKING);
      office.asterisk.phone('340').hangup();
      await sees(watcher, annasPhone, DND);
      office.asterisk.emit('DeviceStateChange', { Device: 'Custom:DND340', State: 'NOT_INUSE' });
      await sees(watcher, annasPhone, FREE);
    });

    test('a telephone system that is away is shown as unknown, and as it is when it is back', async () => {
      const office = await open(server);
      const watcher = await office.login(bernd);
      await subscribe(watcher, `anna@${PBX}`);
      await sees(watcher, annasPhone, FREE);
      await office.asterisk.faults.refuse();
      office.asterisk.faults.drop();
      await sees(watcher, annasPhone, UNKNOWN);
      office.asterisk.phone('340').call('600');
      await office.asterisk.faults.accept();
      await until('the truth is told', () => seen(watcher, annasPhone).at(-1) === TALKING, 20);
      expect(seen(watcher, annasPhone)).not.toContain('unavailable');
    });

    test('who may not see is refused, and learns nothing else either', async () => {
      const office = await open(server, { PRESENCE_VISIBLE_TO: 'group' });
      const [colleague, stranger] = [await office.login(bernd), await office.login(carla)];
      await subscribe(colleague, `anna@${PBX}`);
      await sees(colleague, annasPhone, FREE);
      await subscribe(stranger, `anna@${PBX}`);
      await until('the request is refused', () => seen(stranger, `anna@${PBX}`).includes('unsubscribed'));
      await subscribe(stranger, `nobody@${PBX}`);
      await until('so is that', () => seen(stranger, `nobody@${PBX}`).includes('unsubscribed'));
      office.asterisk.phone('340').call('600');
      await sees(colleague, annasPhone, TALKING);
      expect(seen(stranger, annasPhone)).not.toContain(TALKING);
      for (const query of [
        `<vCard xmlns='vcard-temp'/>`,
        `<query xmlns='http://jabber.org/protocol/disco#info'/>`,
      ])
        expect((await stranger.ask(`anna@${PBX}`, query)).attrs.type).toBe('error');
      // Moved into the group, then out of it again: what the rule allows now is what counts.
      await office.staff([anna, bernd, { ...carla, groups: ['Sales'] }]);
      await until('the request is granted now', async () => {
        await subscribe(stranger, `anna@${PBX}`);
        return seen(stranger, annasPhone).at(-1) === TALKING;
      });
      await office.staff([anna, bernd, carla]);
      await until('it is taken back', () => seen(stranger, `anna@${PBX}`).at(-1) === 'unsubscribed');
      await sees(stranger, annasPhone, 'unavailable');
    });

    test('the component has no presence of its own: a request is refused, and what was granted stays', async () => {
      const office = await open(server, { XMPP_ASK_PRESENCE: 'true' });
      const user = await office.login(anna);
      const cmd = `<cmd xmlns='http://www.pascom.net/mobydick' module='xmppuser'><ClientInfo/></cmd>`;
      await user.ask(PBX, cmd, 'set');
      await until('it asks', () => seen(user, PBX).includes('subscribe'));
      // As many clients do when the user agrees: granted, and asked for in return.
      await user.send(`<presence type='subscribed' to='${PBX}'/>`);
      await user.send(`<presence type='subscribe' to='${PBX}'/>`);
      await until('it is refused', () => seen(user, PBX).includes('unsubscribed'));
      const items = elementsOf(
        find(await user.ask(`anna@${DOMAIN}`, `<query xmlns='jabber:iq:roster'/>`), 'query'),
      );
      expect(items.find(({ attrs }) => attrs.jid === PBX)?.attrs.subscription).toBe('from');
    });

    test('has a card, and can be discovered', async () => {
      const office = await open(server);
      const user = await office.login(bernd);
      const card = find(await user.ask(`anna@${PBX}`, `<vCard xmlns='vcard-temp'/>`), 'vCard');
      expect(textIn(find(card, 'FN'))).toBe('Anna Müller');
      expect(textIn(find(find(card, 'TEL'), 'NUMBER'))).toBe('340');
      expect(textIn(find(card, 'JABBERID'))).toBe(`anna@${DOMAIN}`);
      const info = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
      const items = `<query xmlns='http://jabber.org/protocol/disco#items'/>`;
      const account = find(await user.ask(`340@${PBX}`, info), 'query');
      expect(find(account, 'identity')?.attrs).toMatchObject({ category: 'account', type: 'registered' });
      const phone = find(await user.ask(annasPhone, info), 'query');
      expect(find(phone, 'identity')?.attrs).toMatchObject({ category: 'client', type: 'phone' });
      const listed = find(await user.ask(`anna@${PBX}`, items), 'query');
      expect(find(listed, 'item')?.attrs.jid).toBe(annasPhone);
      expect((await user.ask(`nobody@${PBX}`, info)).attrs.type).toBe('error');
    });

    test('everybody is told anew when the XMPP server comes back', async () => {
      const office = await open(server);
      const before = await office.login(bernd);
      await subscribe(before, `anna@${PBX}`);
      await sees(before, annasPhone, FREE);
      office.asterisk.phone('340').call('600');
      await sees(before, annasPhone, TALKING);
      await server.restart();
      await until('the bridge is back', () => office.bridge.readiness().ready, 30);
      const after = await office.login(bernd, 'again');
      await sees(after, annasPhone, TALKING);
      office.asterisk.phone('340').hangup();
      await sees(after, annasPhone, FREE);
    });
  });
}
