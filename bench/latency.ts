/**
 * From the AMI byte to the stanza on the socket, under 1000 events a second: the bridge as a process of its own, between a
 * simulated Asterisk and an XMPP component port, next to a plain echo process through the same kind of socket.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAsterisk } from '../test/asterisk/asterisk.ts';
import { until } from '../test/servers/until.ts';
import { startAcceptServer } from '../test/xmpp/accept-server.ts';
import { find, textIn } from '../test/xmpp/tree.ts';
import { median } from './measure.ts';
import { echoDelays, paced, percentile } from './paced.ts';
import { report, row } from './report.ts';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const eventsPerSecond = 1000;
const seconds = 10;
/** Every so many events one makes a ChannelEvent; the others are what Asterisk says besides. */
const everyNth = 10;
const domain = 'example.test';
const component = `pbx.${domain}`;
const secret = 'bench';

const subscribe = (user: string, scope: string) =>
  `<iq type='set' id='s' from='${user}@${domain}/x' to='${component}'>` +
  "<cmd xmlns='http://www.pascom.net/mobydick' module='event'><AddSubscription>" +
  `<Subscription module='base' type='ChannelEvent' scope='${scope}'/></AddSubscription></cmd></iq>`;

/** One user, and one who may see everything. */
const people = `users:
  - { name: '340', fullName: Anna, extension: 340, devices: [{ name: Desk, device: PJSIP/340 }] }
  - { name: boss, fullName: Boss, extension: 399, devices: [{ name: Boss, device: PJSIP/399 }], roles: [xmpp.supervisor] }
`;
const directory = join(tmpdir(), `offhook-bench-${process.pid}.yaml`);
writeFileSync(directory, people);
process.on('exit', () => rmSync(directory, { force: true }));

function summary(name: string, samples: number[]): void {
  const sorted = samples.sort((a, b) => a - b);
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const figures = `p50 ${ms(percentile(sorted, 0.5))}, p99 ${ms(percentile(sorted, 0.99))}`;
  report(row(`${name}, ${eventsPerSecond} AMI events/s`, figures, `${sorted.length} samples`));
}

function channel(n: number, state: 'Down' | 'Ringing'): Record<string, string> {
  return {
    Channel: `PJSIP/340-${n.toString(16).padStart(8, '0')}`,
    ChannelState: state === 'Down' ? '0' : '5',
    ChannelStateDesc: state,
    CallerIDNum: '340',
    CallerIDName: 'Anna Müller',
    ConnectedLineNum: '370',
    ConnectedLineName: 'Bernd Schmidt',
    Language: 'en',
    AccountCode: '',
    Context: 'internal',
    Exten: 's',
    Priority: '1',
    Uniqueid: `bench.${n}`,
    Linkedid: `bench.${n}`,
  };
}

/** Samples of the user's `ringing`; `supervisors` get every event, too. */
async function throughBridge(supervisors: number): Promise<number[]> {
  const asterisk = await startAsterisk({
    // Without the right to filter, every event reaches the bridge.
    users: [
      { username: 'feed', secret, read: ['all'], write: ['reporting'] },
      { username: 'control', secret, read: ['call'], write: ['all'] },
    ],
  });
  const sent = new Map<string, number>();
  const samples: number[] = [];
  let subscribed = 0;
  const server = await startAcceptServer({
    domain: component,
    secret,
    onStanza(stanza) {
      if (stanza.name === 'iq' && stanza.attrs.type === 'result') subscribed += 1;
      if (!stanza.attrs.to?.startsWith('340@')) return;
      const event = find(find(stanza, 'cmd'), 'ChannelEvent');
      if (textIn(find(event, 'eventType')) !== 'ringing') return;
      const began = sent.get(textIn(find(event, 'eventId')));
      if (began !== undefined) samples.push(performance.now() - began);
    },
  });
  const bridge = fork(main, [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      XMPP_SERVICE: `xmpp://127.0.0.1:${server.port}`,
      XMPP_COMPONENT: component,
      XMPP_SECRET: secret,
      AMI_PORT: String(asterisk.port),
      AMI_USERNAME: 'control',
      AMI_SECRET: secret,
      AMI_FEED_USERNAME: 'feed',
      AMI_FEED_SECRET: secret,
      DIRECTORY_FILE: directory,
      HTTP_LISTEN: '',
      LOG_LEVEL: 'error',
    },
  });
  try {
    const stream = await server.online();
    stream.write(subscribe('340', 'user'));
    for (let n = 0; n < supervisors; n++) {
      stream.write(subscribe('boss', 'supervisor').replace('/x', `/x${n}`));
    }
    await until('all have subscribed', () => subscribed > supervisors);
    await paced(eventsPerSecond * seconds, eventsPerSecond, (n) => {
      const step = n % everyNth;
      if (step === 0) asterisk.emit('Newchannel', channel(n, 'Down'));
      else if (step === 1) {
        const headers = channel(n - 1, 'Ringing');
        sent.set(headers.Channel ?? '', performance.now());
        asterisk.emit('Newstate', headers);
      } else if (step === 5) asterisk.emit('Hangup', { ...channel(n - 5, 'Ringing'), Cause: '16' });
      else
        asterisk.emit(
          'VarSet',
          { ...channel(n - step, 'Down'), Variable: 'BENCH', Value: String(n) },
          'dialplan',
        );
    });
    await until('every ringing has arrived', () => samples.length >= sent.size);
    return samples;
  } finally {
    bridge.kill();
    await once(bridge, 'exit');
    await server.stop();
    await asterisk.stop();
  }
}

const bridge = await throughBridge(0);
const watched = await throughBridge(20);
const plain = await echoDelays(eventsPerSecond * seconds, eventsPerSecond);
summary('AMI socket → XMPP socket', bridge);
summary('the same, 20 supervisors hear all', watched);
summary('plain echo', plain);
const delay = median(watched) - median(bridge);
report(row('what 20 supervisors add to the user’s ringing', `p50 ${delay.toFixed(2)} ms`, '≤ 5 ms'));
