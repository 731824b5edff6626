import { expect, onTestFinished, test } from 'vitest';
import { createComponent } from '../src/xmpp/component.ts';
import { xmppContract } from './contract/xmpp.ts';
import { type ProsodyOptions, startProsody } from './servers/prosody.ts';
import { until } from './servers/until.ts';
import { keepLog, quick } from './xmpp/setup.ts';

xmppContract('Prosody', startProsody);

/** Two processes with the same component JID, the second after the first. */
async function rivals(conflict: NonNullable<ProsodyOptions['conflict']>) {
  const component = { jid: 'pbx.example.test', secret: 'secret' };
  const server = await startProsody({ domain: 'example.test', users: [], component, conflict });
  onTestFinished(() => server.stop());
  const service = `xmpp://${server.host}:${server.componentPort}`;
  // Who is refused stays away for the rest of the test.
  const limits = { ...quick, refusedMinMs: 60_000, refusedMaxMs: 60_000 };
  const connect = () => {
    const made = createComponent({
      service,
      domain: component.jid,
      secret: component.secret,
      log: keepLog(),
      limits,
    });
    onTestFinished(() => made.stop(0));
    return made;
  };
  const [first, second] = [connect(), connect()];
  await first.start();
  void second.start();
  return { first, second };
}

test('Prosody keeps the old connection (kick_new): the new process is told of the other one', async () => {
  const { first, second } = await rivals('kick_new');
  await until('the second is refused', () => second.state.reason !== '');
  expect(second.state.reason).toMatch(/another process is connected as pbx\.example\.test/);
  expect(first.state.status).toBe('online');
});

test('Prosody takes the new connection (kick_old): the old process is told of the other one', async () => {
  const { first, second } = await rivals('kick_old');
  await until('the first is thrown out', () => first.state.reason !== '');
  expect(first.state.reason).toMatch(/another process is connected as pbx\.example\.test/);
  await second.start();
});
