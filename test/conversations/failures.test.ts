/** Every request gets exactly one answer within its deadline, whatever is broken behind the bridge. */

import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../servers/until.ts';
import type { Office } from './office.ts';
import { people } from './people.ts';
import { inOffice } from './stories.ts';
import type { Simulated } from './telephones.ts';
import { volley } from './volley.ts';

const { anna, bernd, carla } = people;
const TIMES = 5;
/** Seconds. What the bridge may take for an answer, and what a busy machine may add. */
const DEADLINE = 2;
const PATIENCE = DEADLINE + 8;

interface Situation {
  readonly name: string;
  /** Breaks something before the requests are sent. */
  before?(office: Office<Simulated>): Promise<void> | void;
  /** Breaks something while they are on their way. */
  during?(office: Office<Simulated>): Promise<void> | void;
  /** Whether requests that need the telephone system can succeed. */
  readonly dials: boolean;
}

const situations: readonly Situation[] = [
  { name: 'with all well', dials: true },
  {
    name: 'with Asterisk dead',
    async before({ telephones: { asterisk } }) {
      await asterisk.faults.refuse();
      asterisk.faults.drop();
    },
    dials: false,
  },
  {
    name: 'when Asterisk dies meanwhile',
    during: ({ telephones }) => telephones.asterisk.faults.drop(),
    dials: true,
  },
  { name: 'with Asterisk mute', before: ({ telephones }) => telephones.asterisk.faults.mute(), dials: false },
  {
    name: 'with Asterisk half-open',
    before: ({ telephones }) => telephones.asterisk.faults.halfOpen(),
    dials: false,
  },
  {
    name: 'with Asterisk later than the deadline',
    before: ({ telephones }) => telephones.asterisk.faults.late(DEADLINE * 1000 + 500),
    dials: false,
  },
  {
    name: 'with Asterisk on a slow line',
    before: ({ telephones }) => telephones.asterisk.faults.slow(200),
    dials: true,
  },
  { name: 'with Redis dead', before: ({ redis }) => redis.kill(), dials: true },
  { name: 'when Redis dies meanwhile', during: ({ redis }) => redis.kill(), dials: true },
];

inOffice(
  {
    xmpp: 'prosody',
    pbx: 'simulator',
    store: 'redis',
    settings: { COMMAND_TIMEOUT_SECONDS: String(DEADLINE) },
  },
  (office) => {
    afterEach(async () => {
      const { telephones, redis, bridge } = office();
      await telephones.asterisk.faults.clear();
      if (!redis.alive()) await redis.restart();
      // A new bridge: the old one may hold a connection that a fault has left dead, and waits longer with each one it lost.
      await bridge.restart();
    });

    describe('one answer each', () => {
      for (const { name, before, during, dials } of situations) {
        it(name, async () => {
          const c = await office().login(carla);
          for (const phone of office().telephones.asterisk.phones) phone.behaviour = 'decline';
          await before?.(office());
          const shots = await volley(c, TIMES);
          await during?.(office());
          await shots.answered(PATIENCE);
          // What comes late must not be told a second time.
          await office().telephones.asterisk.faults.clear();
          expect(await c.command('base.FindChannels')).toMatchObject({ name: 'ChannelList' });
          shots.expectOneAnswerEach();
          const said = shots.outcome();
          expect(said.get('bad-request')).toBe(3 * TIMES);
          expect(said.get('UserInfo')).toBe(3 * TIMES);
          if (!dials) expect(said.get('Success')).toBeUndefined();
          expect([...said.values()].reduce((sum, count) => sum + count)).toBe(shots.size);
        });
      }

      for (const [action, module, command] of [
        ['Originate', 'base', 'Dial'],
        ['Hangup', 'base', 'Hangup'],
      ] as const) {
        it(`${command} when Asterisk refuses, ignores, or does without an answer`, async () => {
          const { asterisk } = office().telephones;
          const c = await office().login(carla);
          const attributes = { target: '370', channel: 'PJSIP/340-fffffff0' };
          asterisk.faults.fail(action, 'The moon is in the wrong phase');
          expect(await c.command(`${module}.${command}`, attributes)).toMatchObject({ name: 'Failure' });
          await asterisk.faults.clear();
          asterisk.faults.stall(action);
          expect(await c.command(`${module}.${command}`, attributes)).toMatchObject({
            type: 'error',
            name: 'remote-server-timeout',
          });
          await asterisk.faults.clear();
          asterisk.faults.swallow(action);
          expect(await c.command(`${module}.${command}`, attributes)).toMatchObject({
            type: 'error',
            name: 'remote-server-timeout',
          });
        });
      }

      it('while the bridge shuts down', async () => {
        const c = await office().login(carla);
        office().telephones.asterisk.faults.late(DEADLINE * 300);
        const slow = await volley(c, TIMES);
        // Those that need no telephone system are answered at once; the others are under way then.
        await until('the bridge is at work', () => slow.outcome().has('ChannelList'));
        const stopped = office().bridge.stop();
        const late = await volley(c, TIMES);
        await stopped;
        const tooLate = await volley(c, 1);
        for (const each of [slow, late, tooLate]) await each.answered(PATIENCE);
        for (const each of [slow, late, tooLate]) each.expectOneAnswerEach();
        expect(slow.outcome().get('Success')).toBeGreaterThan(0);
        expect(late.outcome().get('service-unavailable')).toBeGreaterThan(0);
      });

      it('that are on their way when the bridge is told to stop', async () => {
        const c = await office().login(carla);
        const shots = await volley(c, 1);
        // So few fit one segment: when the first is answered, the server has handed them all on.
        await until('the first answer', () => shots.outcome().size > 0);
        await office().bridge.stop();
        await shots.answered(PATIENCE);
        shots.expectOneAnswerEach();
      });
    });

    describe('the truth afterwards', () => {
      it('a call that ended while AMI was away gets its hangup, one that began is told', async () => {
        const { asterisk } = office().telephones;
        for (const phone of asterisk.phones) phone.behaviour = 'ring';
        const [a, b, c] = [
          await office().comeIn(anna),
          await office().comeIn(bernd),
          await office().comeIn(carla),
        ];
        await office().phone(anna).dial(bernd.extension);
        await office().phone(bernd).answer();
        await Promise.all([a.told('busy'), b.told('busy')]);
        await asterisk.faults.refuse();
        asterisk.faults.drop();
        await office().phone(anna).hangUp();
        await office().phone(carla).dial('600');
        await office().phone(carla).talks();
        await asterisk.faults.accept();
        await Promise.all([a.told('hangup'), b.told('hangup'), c.told('busy')]);
        for (const person of [a, b]) {
          expect(person.events.map(({ eventType }) => eventType)).toEqual(['ringing', 'busy', 'hangup']);
        }
        expect(c.events).toMatchObject([{ eventType: 'busy', targetNumber: '600' }]);
        expect((await a.command('base.FindChannels')).payload?.children).toEqual([]);
      });

      it('a call that goes on while AMI is away is not told again', async () => {
        const { asterisk } = office().telephones;
        const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
        await office().phone(anna).dial(bernd.extension);
        await office().phone(bernd).answer();
        await Promise.all([a.told('busy'), b.told('busy')]);
        const { busySince } = await a.told('busy');
        asterisk.faults.drop();
        await office().bridge.isReady();
        await asterisk.until(() => asterisk.sessions.filter(({ connected }) => connected).length === 2);
        await office().bridge.isReady();
        await office().phone(bernd).hangUp();
        await Promise.all([a.told('hangup'), b.told('hangup')]);
        expect(a.events.map(({ eventType }) => eventType)).toEqual(['ringing', 'busy', 'hangup']);
        expect(b.events.map(({ eventType }) => eventType)).toEqual(['ringing', 'busy', 'hangup']);
        expect((await a.told('hangup')).busySince).toBe(busySince);
      });
    });
  },
);
