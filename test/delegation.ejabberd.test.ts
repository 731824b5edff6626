import { expect, onTestFinished, test } from 'vitest';
import { createComponent } from '../src/xmpp/component.ts';
import { watchDelegation } from '../src/xmpp/delegation-watch.ts';
import { delegationContract } from './contract/delegation.ts';
import { startEjabberd } from './servers/ejabberd.ts';
import { until } from './servers/until.ts';
import { keepLog } from './xmpp/setup.ts';

delegationContract('ejabberd 23', startEjabberd);
delegationContract('ejabberd 24', (options) => startEjabberd({ ...options, version: '24' }));
// The fault of 24.12 with privileges is gone in this one.
delegationContract('ejabberd 26 with privileges', (options) =>
  startEjabberd({ ...options, version: '26', privilege: true }),
);

test('ejabberd 24.12 with mod_privilege drops what the component answers: the log names the cause', async () => {
  const component = { jid: 'pbx.example.test', secret: 'secret' };
  const namespace = 'urn:example:cmd';
  const options = { domain: 'example.test', users: [], component, delegate: [namespace], privilege: true };
  const server = await startEjabberd({ ...options, version: '24' });
  const log = keepLog();
  const service = `xmpp://${server.host}:${server.componentPort}`;
  const xmpp = createComponent({ service, domain: component.jid, secret: component.secret, log });
  const times = { firstMs: 100, timeoutMs: 1000 };
  const domains = new Set(['example.test']);
  const watch = watchDelegation({ xmpp, namespace, domains, required: true, log, times });
  onTestFinished(async () => {
    watch.stop();
    await xmpp.stop(0);
    await server.stop();
  });
  await xmpp.start();
  await until('the server has not answered', () => watch.verdicts.get('example.test') === 'unknown');
  const warnings = log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  expect(warnings).toEqual([expect.stringContaining('on ejabberd 24.12 remove mod_privilege or upgrade')]);
});
