/** Stories of calls, told over every XMPP server and every telephone system alike. */

import { describe, expect, it } from 'vitest';
import { calledBy, calledFromOutside, calling, callingOut, expectWholeStories } from './expected.ts';
import type { Office } from './office.ts';
import { people, voicemail } from './people.ts';
import { type Person, subscription } from './person.ts';

const { anna, bernd, carla, emil } = people;

/** Calls, from the first ring to the end. */
export function callStories(office: () => Office): void {
  describe('calls', () => {
    /** Waits until everybody has heard of the end of their calls. */
    async function over(...persons: readonly Person[]): Promise<void> {
      for (const person of persons) {
        await person.told('hangup');
        expectWholeStories(person.events);
      }
    }

    it('Anna clicks to dial Bernd, Carla looks on, Bernd answers, Anna hangs up', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      const c = await office().login(carla);
      expect((await c.handshake(subscription({ scope: 'supervisor' }))).name).toBe('UserInfo');

      expect(await a.command('base.Dial', { target: bernd.extension })).toMatchObject({
        name: 'Success',
        text: 'Ok',
      });
      await office().phone(anna).answer();
      await office().phone(bernd).answer();
      await Promise.all([a.told('busy'), b.told('busy')]);
      await office().phone(anna).hangUp();
      await over(a, b);

      const [his, hers] = [calledBy(bernd, anna), calling(anna, bernd)];
      expect(b.events).toEqual([his('ringing'), his('busy'), his('hangup', 'normal')]);
      expect(a.events).toEqual([hers('ringing'), hers('busy'), hers('hangup', 'normal')]);
      // The supervisor is told exactly what both of them were.
      await c.toldTimes(a.events.length + b.events.length);
      for (const person of [a, b]) {
        const { device } = person.events[0] ?? {};
        expect(c.events.filter((event) => event.device === device)).toEqual(person.events);
      }
    });

    it('Bernd hangs up a call that Anna dialed on her telephone', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      const began = Date.now();
      await office().phone(anna).dial(bernd.extension);
      await Promise.all([a.told('ringing'), b.told('ringing')]);
      await office().phone(bernd).answer();
      const [busy] = await Promise.all([a.told('busy'), b.told('busy')]);
      await office().phone(bernd).hangUp();
      await over(a, b);
      const [hers, his] = [calling(anna, bernd), calledBy(bernd, anna)];
      expect(a.events).toEqual([hers('ringing'), hers('busy'), hers('hangup', 'normal')]);
      expect(b.events).toEqual([his('ringing'), his('busy'), his('hangup', 'normal')]);
      expect(Number(busy.busySince)).toBeGreaterThanOrEqual(began);
      expect(Number(busy.busySince)).toBeLessThanOrEqual(Date.now());
      expect(busy.refChannel).toBe(b.events[0]?.eventId);
      expect(b.events[1]?.refChannel).toBe(busy.eventId);
    });

    const unanswered = [
      { how: 'is engaged', end: 'busy', act: () => office().phone(bernd).refuseAsBusy() },
      { how: 'declines', end: 'rejected', act: () => office().phone(bernd).decline() },
      { how: 'is given up by Anna', end: 'cancelled', act: () => office().phone(anna).hangUp() },
    ];
    for (const { how, end, act } of unanswered) {
      it(`Bernd rings and ${how}`, async () => {
        const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
        await office().phone(anna).dial(bernd.extension);
        await Promise.all([a.told('ringing'), b.told('ringing')]);
        await act();
        await over(a, b);
        const [hers, his] = [calling(anna, bernd), calledBy(bernd, anna)];
        expect(a.events).toEqual([hers('ringing'), hers('hangup', end)]);
        expect(b.events).toEqual([his('ringing'), his('hangup', end)]);
      });
    }

    it('Bernd does not answer until the dialplan gives up', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().phone(anna).dial(`8${bernd.extension}`);
      await over(a, b);
      expect(a.events.map(({ eventType }) => eventType)).toEqual(['ringing', 'hangup']);
      expect(a.events[1]).toEqual(calling(anna, bernd)('hangup', 'noanswer'));
      const his = calledBy(bernd, anna);
      expect(b.events).toEqual([his('ringing'), his('hangup', 'noanswer')]);
    });

    it('Emil has no telephone', async () => {
      const [a, e] = [await office().comeIn(anna), await office().comeIn(emil)];
      await office().phone(anna).dial(emil.extension);
      await over(a);
      expect(a.events.at(-1)).toEqual(calling(anna, emil)('hangup', 'unreachable'));
      expect(e.events).toEqual([]);
      expect(await e.command('base.Dial', { target: anna.extension })).toMatchObject({
        name: 'Failure',
        code: 'device-unavailable',
      });
    });

    it('a stranger with a difficult name calls in', async () => {
      const a = await office().comeIn(anna);
      const number = '+4915112345678';
      const name = `Jürgen "Jo" O'Neil \\ <b>&amp; 😀`;
      await office().telephones.outside.dialFrom({ number, name }, anna.extension);
      await office().phone(anna).rings();
      // Asterisk takes SIP's backslashes for part of the name, so her telephone says how the call is signaled.
      const shown = office().phone(anna).display();
      expect(shown.name.replaceAll('\\', '')).toBe(name.replaceAll('\\', ''));
      await office().phone(anna).answer();
      await a.told('busy');
      await office().telephones.outside.hangUp();
      await over(a);
      const hers = calledFromOutside(anna, { number, name: shown.name });
      expect(a.events).toEqual([hers('ringing'), hers('busy'), hers('hangup', 'normal')]);
    });

    it('a name that XML cannot carry costs nobody the stream', async () => {
      const a = await office().comeIn(anna);
      const name = 'Bell\u0001 and \u001b escape';
      await office().telephones.outside.dialFrom({ number: '+4915112345678', name }, anna.extension);
      await office().phone(anna).answer();
      await a.told('busy');
      await office().telephones.outside.hangUp();
      await over(a);
      for (const { sourceName } of a.events) expect(sourceName).toMatch(/^Bell\uFFFD and \uFFFD escape$/);
      expect(office().bridge.log.filter(({ msg }) => /not connected to the XMPP/.test(msg))).toEqual([]);
    });

    it('Anna calls outside', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      expect(await a.command('base.Dial', { target: '(030) 90 18-20', prefix: 'auto' })).toMatchObject({
        name: 'Success',
      });
      await office().phone(anna).answer();
      await office().telephones.outside.answer();
      await a.told('busy');
      await office().telephones.outside.hangUp();
      await over(a);
      const hers = callingOut(anna, { number: '0030901820', name: '' });
      expect(a.events.filter(({ eventType }) => eventType === 'busy')).toEqual([hers('busy')]);
      expect(a.events.at(-1)).toEqual(hers('hangup', 'normal'));
      expect(b.events).toEqual([]);
    });

    for (const [service, number, name] of [
      ['echo', '600', 'Echo'],
      ['mailbox', voicemail.number, 'Mailbox'],
    ] as const) {
      it(`Anna calls a service: ${service}`, async () => {
        const a = await office().comeIn(anna);
        await office().phone(anna).dial(number);
        await a.told('busy');
        await office().phone(anna).hangUp();
        await over(a);
        const hers = callingOut(anna, { number, name });
        expect(a.events).toEqual([hers('busy', service), hers('hangup', 'normal')]);
      });
    }

    it('both of Bernd’s telephones ring, and he takes one', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      const second = await office().telephones.second(bernd.extension);
      await office().phone(anna).dial(`2${bernd.extension}`);
      await Promise.all([second.rings(), office().phone(bernd).rings()]);
      await b.toldTimes(2);
      await second.answer();
      const { eventId: taken } = await b.told('busy');
      await office().phone(anna).hangUp();
      await b.told('hangup', ({ eventId }) => eventId === taken);
      await b.told('hangup', ({ eventId }) => eventId !== taken);
      await over(a);
      expectWholeStories(b.events);
      const his = calledBy(bernd, anna);
      expect(b.events.filter(({ eventId }) => eventId !== taken)).toEqual([
        his('ringing'),
        his('hangup', 'answered-elsewhere'),
      ]);
      expect(b.events.filter(({ eventId }) => eventId === taken)).toEqual([
        his('ringing'),
        his('busy'),
        his('hangup', 'normal'),
      ]);
      expect(a.events.filter(({ eventType }) => eventType === 'hangup')).toEqual([
        expect.objectContaining({ eventDetails: 'normal', targetNumber: bernd.extension }),
      ]);
    });

    it('Anna holds Bernd and takes him back', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().phone(anna).dial(bernd.extension);
      await office().phone(bernd).answer();
      await Promise.all([a.told('busy'), b.told('busy')]);
      await office().phone(anna).hold();
      await Promise.all([a.told('hold'), b.told('hold')]);
      await office().phone(anna).resume();
      await Promise.all([a.told('unhold'), b.told('unhold')]);
      await office().phone(anna).hangUp();
      await over(a, b);
      const [hers, his] = [calling(anna, bernd), calledBy(bernd, anna)];
      expect(a.events).toEqual([
        hers('ringing'),
        hers('busy'),
        hers('hold'),
        hers('unhold'),
        hers('hangup', 'normal'),
      ]);
      expect(b.events).toEqual([
        his('ringing'),
        his('busy'),
        his('hold', 'remote'),
        his('unhold', 'remote'),
        his('hangup', 'normal'),
      ]);
    });
  });
}
