/** What can happen to the bridge itself. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parkedMeanwhile } from '../conversations/parking.ts';
import { quietRequests, volley } from '../conversations/volley.ts';
import type { Running } from '../servers/process.ts';
import { until } from '../servers/until.ts';
import { startProgram } from './program.ts';
import {
  aCallLikeAnyOther,
  agree,
  anna,
  bernd,
  callInProgress,
  carla,
  endCalls,
  type Suffering,
} from './scene.ts';

/** What Redis has of calls, by channel. */
async function kept(office: Suffering): Promise<string[]> {
  const client = new Redis(office.redis.url);
  try {
    return Object.values(await client.hgetall('offhook:calls'));
  } finally {
    client.disconnect();
  }
}

const allSure = (texts: readonly string[], count: number) =>
  texts.length === count && texts.every((text) => text.startsWith('[1,true,'));

/** A bridge goes and another comes; one call ends meanwhile, another goes on, a third begins. */
async function outlived(
  office: Suffering,
  gone: () => Promise<unknown>,
  come: () => Promise<unknown>,
): Promise<void> {
  const persons = await callInProgress(office);
  const [a, b, c] = persons;
  await office.phone(carla).dial('600');
  await c.told('busy');
  await until('the store knows what was told and has arrived', async () => allSure(await kept(office), 3));
  const before = persons.map(({ events }) => events.length);
  await gone();
  await office.phone(bernd).hangUp();
  await come();
  await agree(
    office,
    persons,
    'clients show what telephones do, though the end came while there was no bridge',
  );
  for (const [at, person] of persons.entries()) {
    const since = person.events.slice(before[at]).map(({ eventType }) => eventType);
    expect(since).toEqual(person === c ? [] : ['hangup']);
  }
  expect(a.events.at(-1)).toMatchObject({ targetNumber: bernd.extension, internal: 'true' });
  expect(b.events.at(-1)).toMatchObject({ sourceNumber: anna.extension, internal: 'true' });
  await endCalls(office);
  await aCallLikeAnyOther(office, persons);
  expect(persons.flatMap(({ broken }) => broken)).toEqual([]);
  await until('the store has forgotten what is over', async () => (await kept(office)).length === 0);
}

export function bridgeSituations(office: () => Suffering): void {
  let program: Running | undefined;
  const startAnother = async () => {
    program = await startProgram(office().bridge.environment);
    return program;
  };

  describe('as a process of its own', () => {
    beforeAll(() => office().bridge.stop());
    afterAll(async () => {
      await program?.kill();
      await office().bridge.start();
    });

    it.each([
      ['killed (SIGKILL)', (running: Running) => running.kill()],
      ['told to end (SIGTERM)', (running: Running) => running.stop(30)],
    ])('the bridge is %s while a call ends', async (_, end) => {
      const first = program?.alive() ? program : await startAnother();
      const shots = await volley(await office().login(carla), 1, quietRequests);
      await outlived(office(), () => end(first), startAnother);
      shots.expectNoSecondAnswer();
      expect(first.log()).not.toMatch(/"level":"(error|fatal)"/);
    });

    it('the bridge is told to end while it answers: what it had begun and what comes too late has one answer each', async () => {
      const running = program?.alive() ? program : await startAnother();
      const c = await office().login(carla);
      const shots = await volley(c, 3, quietRequests);
      await until('the first answers', () => shots.outcome().size > 0);
      const ended = running.stop(30);
      const late = await volley(c, 1, quietRequests);
      await ended;
      const tooLate = await volley(c, 1, quietRequests);
      for (const each of [shots, late, tooLate]) await each.answered(20);
      for (const each of [shots, late, tooLate]) each.expectOneAnswerEach();
    });
  });

  it('a parked call ends while there is no bridge', () => parkedMeanwhile(office()));

  it('a parked call ends while the line to the XMPP server is cut, and the bridge ends before it is mended', () =>
    parkedMeanwhile(office(), async ({ bridge }, meanwhile) => {
      const { xmpp } = office().lines;
      xmpp.cut();
      await until('the bridge notices', () => !bridge.readiness.ready, 30);
      await meanwhile();
      await bridge.stop();
      xmpp.mend();
      await bridge.start();
    }));

  it('the clock jumps forward by a day and back by an hour', async () => {
    const { apart } = office().bridge;
    try {
      const persons = await callInProgress(office());
      const [a, , c] = persons;
      const { busySince } = await a.told('busy');
      for (const jump of [86_400_000, -3_600_000]) {
        await apart.ask('clock', jump);
        const shots = await volley(c, 1, quietRequests);
        await shots.answered(20);
        shots.expectOneAnswerEach();
        await office().phone(anna).resume();
        await a.told('unhold');
        await office().phone(anna).hold();
        await agree(office(), persons, 'clients go on to show what telephones do');
      }
      await office().phone(bernd).hangUp();
      expect((await a.told('hangup')).busySince).toBe(busySince);
      await endCalls(office());
      await aCallLikeAnyOther(office(), persons);
      expect(office().bridge.readiness.ready).toBe(true);
    } finally {
      await apart.ask('clock', 0);
    }
  });
}
