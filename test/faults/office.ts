/** Faults, one after the other in one office, and what they leave behind: nothing. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openOffice } from '../conversations/office.ts';
import { until } from '../servers/until.ts';
import { resources, type Situation, type Suffering, suffer } from './scene.ts';

/** Short times: what takes a minute in production takes a second here. */
const tuning = {
  ami: {
    pingMs: 400,
    reconnectMinMs: 50,
    reconnectMaxMs: 500,
    refusedMs: 500,
    connectTimeoutMs: 2000,
    loginTimeoutMs: 2000,
  },
  xmpp: {
    pingEveryMs: 400,
    pingTimeoutMs: 1500,
    reconnectMinMs: 50,
    reconnectMaxMs: 500,
    refusedMinMs: 200,
    refusedMaxMs: 500,
  },
  redis: { pingMs: 400, timeoutMs: 1500 },
};

/** Declares the tests; `more` declares further ones. */
export function faultsIn(
  xmpp: 'prosody' | 'ejabberd',
  situations: readonly Situation[],
  more: (office: () => Suffering) => void = () => {},
): void {
  describe(`faults with ${xmpp}, Asterisk and Redis, during calls`, () => {
    let opened: Suffering | undefined;
    const office = () => {
      if (opened === undefined) throw new Error('the office is not open');
      return opened;
    };
    const stray: unknown[] = [];
    const onStray = (reason: unknown) => void stray.push(reason);
    let before: Record<string, number> | undefined;

    beforeAll(async () => {
      for (const event of ['unhandledRejection', 'warning'] as const) process.on(event, onStray);
      opened = await openOffice({
        xmpp,
        pbx: 'asterisk',
        store: 'redis',
        relayed: true,
        settings: { COMMAND_TIMEOUT_SECONDS: '2' },
        tuning,
      });
    });
    afterEach(() => opened?.quiet());
    afterAll(async () => {
      await opened?.stop();
      for (const event of ['unhandledRejection', 'warning'] as const) process.off(event, onStray);
    });

    for (const situation of situations) {
      it(situation.name, async () => {
        before ??= resources();
        await suffer(office(), situation);
        expect(stray).toEqual([]);
        const defects = office().bridge.log.filter(({ msg }) => /defect/.test(msg));
        expect(defects).toEqual([]);
      });
    }
    more(office);

    it('leaves no socket, timer or listener behind', async () => {
      // Everybody has logged out; what is left is what was there at first.
      const leftOver = () =>
        Object.entries(resources()).filter(([kind, count]) => count > (before?.[kind] ?? 0));
      await until('nothing is left behind', () => leftOver().length === 0, 20).catch(() => {
        expect(leftOver()).toEqual([]);
      });
      expect(stray).toEqual([]);
    });
  });
}
