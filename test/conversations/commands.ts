/** Stories of commands: what people do to calls from their computers. */

import { describe, expect, it } from 'vitest';
import { calledBy, expectWholeStories } from './expected.ts';
import type { Office } from './office.ts';
import { deviceOf, people, voicemail } from './people.ts';
import type { Person } from './person.ts';
import { readChannelEvent } from './wire.ts';

const { anna, bernd, carla } = people;

/** Commands of module `base`, and `xmppuser.FindUserInfo`. */
export function commandStories(office: () => Office): void {
  describe('commands', () => {
    /** Anna calls Bernd, and they talk. */
    async function talking(): Promise<[Person, Person]> {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().phone(anna).dial(bernd.extension);
      await office().phone(bernd).answer();
      await Promise.all([a.told('busy'), b.told('busy')]);
      return [a, b];
    }

    it('Hangup without a channel ends the most recent call; a second one has nothing to end', async () => {
      const [a, b] = await talking();
      expect(await a.command('base.Hangup')).toMatchObject({ name: 'Success' });
      await Promise.all([a.told('hangup'), b.told('hangup')]);
      await office().phone(bernd).isIdle();
      expect(await a.command('base.Hangup')).toMatchObject({ name: 'Failure', code: 'no-active-call' });
    });

    it('nobody ends the call of somebody else, but a supervisor', async () => {
      const [a, b] = await talking();
      const [{ eventId = '' } = {}] = a.events;
      const { eventId: his = '' } = b.events[0] ?? {};
      expect(await b.command('base.Hangup', { channel: eventId })).toMatchObject({ code: 'not-permitted' });
      expect(await b.command('base.Transfer', { channel: eventId, target: '320' })).toMatchObject({
        code: 'not-permitted',
      });
      expect(await b.command('base.Hangup', { channel: 'PJSIP/340-ffffffff' })).toMatchObject({
        code: 'no-such-channel',
      });
      const c = await office().comeIn(carla);
      expect(await c.command('base.Hangup', { channel: his })).toMatchObject({ name: 'Success' });
      await Promise.all([a.told('hangup'), b.told('hangup')]);
      expectWholeStories([...a.events, ...b.events]);
      expect(c.events).toEqual([]);
    });

    it('Bernd transfers Anna to Carla', async () => {
      const [a, b] = await talking();
      const c = await office().comeIn(carla);
      const { eventId: his = '' } = b.events[0] ?? {};
      expect(await b.command('base.Transfer', { channel: his, target: carla.extension })).toMatchObject({
        name: 'Success',
      });
      await b.told('hangup');
      await c.told('ringing');
      await office().phone(carla).answer();
      await c.told('busy');
      await a.told('rename', ({ targetNumber }) => targetNumber === carla.extension);
      await office().phone(anna).hangUp();
      await Promise.all([a.told('hangup'), c.told('hangup')]);

      const hers = calledBy(carla, anna);
      const from = { fromName: bernd.fullName, fromNumber: bernd.extension };
      expect(c.events).toEqual([
        hers('ringing', '', from),
        hers('busy', '', from),
        hers('hangup', 'normal', from),
      ]);
      expectWholeStories([...a.events, ...b.events]);
      expect(b.events.map(({ eventType }) => eventType)).toContain('transfer');
      expect(new Set(a.events.map(({ eventId }) => eventId)).size).toBe(1);
      expect(a.events.at(-1)).toMatchObject({ targetName: carla.fullName, targetNumber: carla.extension });
    });

    it('Bernd sends a ringing call on to Carla', async () => {
      const [b, c] = [await office().comeIn(bernd), await office().comeIn(carla)];
      await office().phone(anna).dial(bernd.extension);
      const { eventId } = await b.told('ringing');
      expect(await b.command('base.Transfer', { channel: eventId, target: carla.extension })).toMatchObject({
        name: 'Success',
      });
      await b.told('hangup');
      await c.told('ringing');
      await office().phone(carla).rings();
      expect(c.events[0]).toMatchObject({ sourceNumber: anna.extension, targetNumber: carla.extension });
      expectWholeStories(b.events);
    });

    it('FindChannels in mid-call shows own calls, and everybody’s to supervisors', async () => {
      const [a, b] = await talking();
      const c = await office().comeIn(carla);
      const channels = async (person: Person, scope?: string) => {
        const { name, payload } = await person.command(
          'base.FindChannels',
          scope === undefined ? {} : { scope },
        );
        expect(name).toBe('ChannelList');
        return payload?.getChildElements().map(readChannelEvent);
      };
      expect(await channels(a)).toEqual([a.events.at(-1)]);
      expect(await channels(b)).toEqual([b.events.at(-1)]);
      expect(await channels(c)).toEqual([]);
      expect(await channels(c, 'supervisor')).toEqual([a.events.at(-1), b.events.at(-1)]);
      expect(await a.command('base.FindChannels', { scope: 'supervisor' })).toMatchObject({
        code: 'not-permitted',
      });
      await office().phone(bernd).hold();
      await Promise.all([a.told('hold'), b.told('hold')]);
      expect(await channels(a)).toEqual([a.events.at(-1)]);
      await office().phone(anna).hangUp();
      await Promise.all([a.told('hangup'), b.told('hangup')]);
      expect(await channels(c, 'supervisor')).toEqual([]);
    });

    it('a supervisor dials on behalf of Anna', async () => {
      const [a, c] = [await office().comeIn(anna), await office().comeIn(carla)];
      expect(await a.command('base.DialFrom', { identity: 'bernd', target: '320' })).toMatchObject({
        code: 'not-permitted',
      });
      expect(await c.command('base.DialFrom', { identity: 'nobody', target: '370' })).toMatchObject({
        code: 'no-such-user',
      });
      expect(await c.command('base.DialFrom', { identity: 'anna', target: bernd.extension })).toMatchObject({
        name: 'Success',
      });
      await office().phone(anna).answer();
      await office().phone(bernd).rings();
      expect(office().phone(bernd).display()).toMatchObject({ number: anna.extension, name: anna.fullName });
      expect((await a.told('ringing')).device).toBe(deviceOf(anna));
      expect(c.events).toEqual([]);
    });

    it('Anna dials a JID, and a number by its setting', async () => {
      const a = await office().comeIn(anna);
      expect(await a.command('base.Dial', { target: 'bernd@example.test' })).toMatchObject({
        name: 'Success',
      });
      await office().phone(anna).answer();
      await office().phone(bernd).rings();
      expect(await a.command('base.Hangup')).toMatchObject({ name: 'Success' });
      await a.told('hangup');
      expect(await a.command('base.Dial', { viasetting: voicemail.setting })).toMatchObject({
        name: 'Success',
      });
      await office().phone(anna).answer();
      expect(await a.told('busy')).toMatchObject({ eventDetails: 'mailbox', targetNumber: voicemail.number });
      expect(await a.command('base.Dial', { viasetting: 'no.such' })).toMatchObject({
        code: 'invalid-target',
      });
      expect(await a.command('base.Dial', { target: 'nobody@example.test' })).toMatchObject({
        code: 'no-such-user',
      });
      expect(await a.command('base.Dial')).toMatchObject({ type: 'error', name: 'bad-request' });
    });

    it('FindUserInfo tells about oneself; about others to supervisors', async () => {
      const [a, c] = [await office().comeIn(anna), await office().comeIn(carla)];
      const self = await a.command('xmppuser.FindUserInfo');
      expect(self.payload?.attrs.name).toBe('anna');
      expect(self.payload?.getChildElements().map(({ name }) => name)).toEqual([
        ...['Identity', 'RoleList', 'LocationList', 'Voicemailbox'],
        ...['RedirectEntry', 'QueueMemberStates', 'SubscriptionList'],
      ]);
      expect(self.payload?.getChild('Identity')?.getChildText('db_003use_bez')).toBe(anna.fullName);
      expect(self.payload?.getChild('SubscriptionList')?.getChildElements()).toHaveLength(1);
      for (const jid of ['bernd', 'bernd@example.test', 'nobody']) {
        expect(await a.command('xmppuser.FindUserInfo', { jid })).toMatchObject({ code: 'not-permitted' });
      }
      const bare = await c.command('xmppuser.FindUserInfo', { jid: 'anna@example.test' });
      expect(bare.payload?.getChild('Identity')?.getChildText('db_009ext_extension')).toBe(anna.extension);
      expect(bare.payload?.getChild('SubscriptionList')).toBeUndefined();
      const full = await c.command('xmppuser.FindUserInfo', { jid: a.jid });
      expect(full.payload?.getChild('SubscriptionList')?.getChildElements()).toHaveLength(1);
    });
  });
}
