/** What can happen to Asterisk, and to the line to it. */

import { expect } from 'vitest';
import { until } from '../servers/until.ts';
import { anna, bernd, type Situation } from './scene.ts';

const megabyte = Buffer.alloc(1 << 20, 'x');

function* line(megabytes: number): Generator<Buffer> {
  yield Buffer.from('\r\n\r\nEvent: Newchannel\r\nChannel: ');
  for (let n = 0; n < megabytes; n++) yield megabyte;
  yield Buffer.from('\r\n\r\n');
}

function* garbage(): Generator<Buffer> {
  for (let n = 0; n < 64; n++) {
    yield Buffer.from(Array.from({ length: 997 }, (_, at) => (n * 131 + at * 197) & 0xff));
    yield Buffer.from('\r\n: \r\nEvent\r\nEvent: Hangup\r\n\r\nResponse: Success\r\n\r\n');
  }
}

/** Asterisk ends, and with it the calls; who was in one hears nothing more and hangs up. */
const end = (name: string, ended: (pid: number) => Promise<void>): Situation => ({
  name,
  telephones: false,
  async harm({ telephones, phone }) {
    await ended(telephones.server.pid);
    return async () => {
      await Promise.all([phone(anna).hangUp(), phone(bernd).hangUp()].map((over) => over.catch(() => {})));
      await telephones.comeBack();
    };
  },
});

export const asteriskSituations: readonly Situation[] = [
  {
    name: 'Asterisk reloads everything',
    async harm({ telephones: { server } }) {
      await server.cli('core reload');
      await server.cli('manager reload');
      return undefined;
    },
  },
  {
    name: 'Asterisk is stopped (SIGSTOP) and goes on',
    telephones: false,
    async harm({ telephones: { server }, bridge, phone }) {
      process.kill(server.pid, 'SIGSTOP');
      await until('the bridge gives it up', () => !bridge.readiness.ready, 30);
      return async () => {
        process.kill(server.pid, 'SIGCONT');
        await phone(bernd).hangUp();
      };
    },
  },
  {
    name: 'the line to Asterisk is dead at the other end (half-open)',
    async harm({ lines, bridge }) {
      lines.ami.freeze();
      await until('the bridge gives it up', () => !bridge.readiness.ready, 30);
      return async () => lines.ami.mend();
    },
  },
  {
    name: 'the line to Asterisk is cut',
    async harm({ lines, bridge }) {
      lines.ami.cut();
      await until('the bridge notices', () => !bridge.readiness.ready, 30);
      return async () => lines.ami.mend();
    },
  },
  {
    name: 'Asterisk talks garbage',
    async harm({ lines }) {
      await lines.ami.say(garbage());
      return undefined;
    },
  },
  {
    name: 'Asterisk says a line of 100 MB',
    async harm({ lines, bridge: { apart } }) {
      const before = await apart.memory();
      let [most, isSaid] = [0, false];
      const said = lines.ami.say(line(100)).finally(() => {
        isSaid = true;
      });
      while (!isSaid) most = Math.max(most, await apart.memory());
      await said;
      expect(most - before).toBeLessThan(20e6);
      return undefined;
    },
  },
  end('Asterisk is killed (SIGKILL) and comes back', async (pid) => void process.kill(pid, 'SIGKILL')),
  end('Asterisk is restarted', async (pid) => void process.kill(pid, 'SIGTERM')),
];
