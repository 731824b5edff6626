import { readdir, readFile } from 'node:fs/promises';
import { type PbxHarness, pbxContract } from './contract/pbx.ts';
import { startAsterisk, startPhone, until } from './servers/index.ts';

pbxContract('Asterisk 22', async (): Promise<PbxHarness> => {
  const filtering = { username: 'filtering', secret: 'filtering-secret' };
  const pbx = await startAsterisk({
    tls: true,
    managers: [{ ...filtering, read: 'system,call,agent,dialplan,user', write: 'reporting,system' }],
  });
  if (pbx.tls === undefined) throw new Error('Asterisk was started with TLS and has none');
  // COMPAT: Asterisk times the keys that it presses for a transfer by the sound that comes in: with mute telephones it loses some.
  const phones = new Map(
    await Promise.all(
      ['320', '340', '370'].map(
        async (number) => [number, await startPhone(pbx, number, { voice: 440 })] as const,
      ),
    ),
  );
  return {
    port: pbx.amiPort,
    tls: pbx.tls,
    accounts: { ...pbx.managers, filtering },
    telephone(number) {
      const phone = phones.get(number);
      if (phone === undefined) throw new Error(`there is no telephone ${number}`);
      return {
        behave(behaviour) {
          phone.incoming = behaviour;
        },
        notified: phone.notified,
        async dial(to) {
          await phone.dial(to);
        },
        async hangup() {
          await Promise.all(
            phone.calls.filter((call) => call.state !== 'ended').map((call) => call.hangup()),
          );
        },
      };
    },
    away: () => pbx.kill(),
    async back() {
      await pbx.restart();
      for (const phone of phones.values()) await phone.register();
    },
    async mute() {
      process.kill(pbx.pid, 'SIGSTOP');
      await until('every thread of Asterisk stands', () => stopped(pbx.pid));
    },
    unmute: () => void process.kill(pbx.pid, 'SIGCONT'),
    async stop() {
      for (const phone of phones.values()) await phone.stop();
      await pbx.stop();
    },
  };
});

/** Whether all threads are in state T (proc(5), `/proc/pid/task/tid/stat`): the signal reaches them one after the other. */
async function stopped(pid: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(
    tasks.map(
      async (task) => (await readFile(`/proc/${pid}/task/${task}/stat`, 'utf8')).replace(/^.*\) /s, '')[0],
    ),
  );
  return states.every((state) => state === 'T');
}
