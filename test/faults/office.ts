/** Faults, one after the other in one office, and what they leave behind: nothing. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openOffice } from '../conversations/office.ts';
import { until } from '../servers/until.ts';
import { type Situation, type Suffering, suffer } from './scene.ts';

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

/** Nothing but what always is; the bridge, too, ends and comes back. */
const warmingUp: Situation = {
  name: 'no fault',
  store: 'proven',
  async harm({ lines, bridge }) {
    for (const line of Object.values(lines)) {
      line.cut();
      await until('the bridge notices', () => !bridge.readiness.ready);
      line.mend();
      await bridge.isReady();
    }
    return undefined;
  },
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
    /** What the bridge held open before the first fault, by kind, and what it needed: bytes. */
    interface Needs {
      readonly open: Record<string, number>;
      readonly memory: number;
    }
    let before: Needs | undefined;

    async function open(): Promise<void> {
      opened = await openOffice({
        xmpp,
        pbx: 'asterisk',
        store: 'redis',
        relayed: true,
        apart: true,
        settings: { COMMAND_TIMEOUT_SECONDS: '2' },
        tuning,
      });
    }
    async function close(): Promise<void> {
      const closing = opened;
      opened = undefined;
      await closing?.stop();
    }
    async function warmUp(): Promise<Needs> {
      const { apart } = office().bridge;
      const held = await apart.resources();
      for (let n = 0; n < 3; n++) await suffer(office(), warmingUp);
      before = { open: held, memory: await apart.memory() };
      return before;
    }
    /** The first test has warmed up, unless another one runs alone. */
    const neededBefore = async () => before ?? warmUp();

    beforeAll(async () => {
      for (const event of ['unhandledRejection', 'warning'] as const) process.on(event, onStray);
      await open();
    });
    afterEach(async ({ task }) => {
      if (task.result?.state !== 'fail') return opened?.quiet();
      // A server may be stopped still, a line cut: the next fault is not to suffer from this one.
      await close().catch(() => {});
      await open();
      await warmUp();
    }, 240_000);
    afterAll(async () => {
      await close();
      for (const event of ['unhandledRejection', 'warning'] as const) process.off(event, onStray);
    });

    it('makes calls, loses each line and is restarted, and has the memory that it needs', async () => {
      await warmUp();
    });

    for (const situation of situations) {
      it(situation.name, async () => {
        const { memory } = await neededBefore();
        await suffer(office(), situation);
        expect(stray).toEqual([]);
        const defects = office().bridge.log.filter(({ msg }) => /defect/.test(msg));
        expect(defects).toEqual([]);
        // As many calls, sessions and restarts as before it: the same memory.
        const needed = await office().bridge.apart.memory();
        expect(needed / memory).toBeLessThan(1.1);
      });
    }
    more(office);

    it('leaves no socket, timer or listener behind', async () => {
      const { open: held } = await neededBefore();
      // Everybody has logged out; what is left is what was there at first.
      const leftOver = async () =>
        Object.entries(await office().bridge.apart.resources()).filter(
          ([kind, count]) => count > (held[kind] ?? 0),
        );
      await until('nothing is left behind', async () => (await leftOver()).length === 0, 20).catch(
        async () => {
          expect(await leftOver()).toEqual([]);
        },
      );
      expect(stray).toEqual([]);
    });
  });
}
