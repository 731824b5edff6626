/** What filtering at the source saves: bytes of the same calls on a real Asterisk, for an account that may filter and one that may not. */
import { filterActions } from '../src/pbx/filter.ts';
import { openSession } from '../src/pbx/session.ts';
import { translatedEvents } from '../src/pbx/translate.ts';
import { wantedEvents } from '../src/pbx/wanted.ts';
import { startAsterisk } from '../test/servers/asterisk.ts';
import { startPhone } from '../test/servers/phone.ts';
import { until } from '../test/servers/until.ts';
import { report, row } from './report.ts';

const calls = 20;
const account = { username: 'bench', secret: 'bench' };

const asterisk = await startAsterisk({
  managers: [{ ...account, read: 'all', write: 'system,call,originate,reporting' }],
});

async function open() {
  let hangups = 0;
  const session = await openSession({
    host: '127.0.0.1',
    port: asterisk.amiPort,
    connectTimeoutMs: 5000,
    loginTimeoutMs: 5000,
    actionTimeoutMs: 5000,
    account,
    wanted: wantedEvents(translatedEvents),
    onEvent: ({ event }) => {
      if (event === 'Hangup') hangups += 1;
    },
  });
  return { session, hangups: () => hangups };
}

try {
  const [all, filtered] = [await open(), await open()];
  for (const each of filterActions(translatedEvents)) await filtered.session.exchange(each);
  const before = [all.session.counts.bytes, filtered.session.counts.bytes] as const;
  const [caller, callee] = [await startPhone(asterisk, '340'), await startPhone(asterisk, '370')];
  for (let n = 0; n < calls; n++) {
    const call = await caller.dial('370');
    const ringing = await callee.ringing();
    await ringing.answer();
    await until('they talk', () => call.state === 'connected');
    await call.hangup();
    await until('both have ended', () => all.hangups() === 2 * (n + 1));
  }
  await caller.stop();
  await callee.stop();
  await until('every call is over', () => filtered.hangups() === 2 * calls);
  const [unfiltered, kept] = [
    all.session.counts.bytes - before[0],
    filtered.session.counts.bytes - before[1],
  ];
  all.session.close('done');
  filtered.session.close('done');
  report(
    row(`${calls} calls on ${asterisk.version}: all classes`, `${Math.round(unfiltered / 1024)} KB`, ''),
  );
  report(
    row(
      'the same, filtered at the source',
      `${Math.round(kept / 1024)} KB`,
      `${Math.round(100 * (1 - kept / unfiltered))} % saved`,
    ),
  );
} finally {
  await asterisk.stop();
}
