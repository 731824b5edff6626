/**
 * From the AMI byte to the stanza on the socket, under 1000 events a second: the bridge as a process of its own, between a
 * simulated Asterisk and an XMPP component port, next to a plain echo process through the same kind of socket. The port reads no more than it must:
 * an XML parser there would be the slowest part of the road.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAsterisk } from '../test/asterisk/asterisk.ts';
import { until } from '../test/servers/until.ts';
import { median } from './measure.ts';
import { echoDelays, paced, percentile } from './paced.ts';
import { report, row } from './report.ts';

const main = fileURLToPath(new URL('../src/main.js', import.meta.url));
const eventsPerSecond = 1000;
/** Rounds of each way, in turn: what else the machine does meets all of them. The first second of each warms up. */
const rounds = 3;
const seconds = 5;
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

interface Figures {
  readonly p50: number;
  readonly p99: number;
}

function figures(samples: readonly number[]): Figures {
  const sorted = samples.slice(samples.length / seconds).sort((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

const ms = (value: number) => `${value.toFixed(2)} ms`;
const medianOf = (all: readonly Figures[], which: keyof Figures) => median(all.map((each) => each[which]));

function summary(name: string, all: readonly Figures[]): void {
  const text = `p50 ${ms(medianOf(all, 'p50'))}, p99 ${ms(medianOf(all, 'p99'))}`;
  report(row(`${name}, ${eventsPerSecond} AMI events/s`, text, `medians of ${rounds} rounds`));
}

/** An XMPP server's component port that takes any secret, sends back what is for the component itself, and shows every stanza as text. */
async function startPort(onStanza: (text: string) => void) {
  const sockets: Socket[] = [];
  let online = false;
  const server = createServer((socket) => {
    sockets.push(socket.setNoDelay(true).setEncoding('utf8'));
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.includes('<stream:stream')) {
        socket.write(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
        );
        text = '';
      } else if (text.includes('</handshake>')) {
        socket.write('<handshake/>');
        online = true;
        text = '';
      }
      const parts = text.split(/(?<=<\/(?:iq|message)>)/);
      text = parts.at(-1)?.endsWith('>') === true ? '' : (parts.pop() ?? '');
      for (const part of parts) {
        if (part.startsWith('<iq') && part.includes(`to='${component}/`)) socket.write(part);
        else onStanza(part);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get online() {
      return online;
    },
    write: (text: string) => void sockets.at(-1)?.write(text),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
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
  const server = await startPort((text) => {
    if (text.includes("type='result'")) subscribed += 1;
    if (!text.includes("to='340@") || !text.includes('<eventType>ringing<')) return;
    const began = sent.get(/<eventId>([^<]*)</.exec(text)?.[1] ?? '');
    if (began !== undefined) samples.push(performance.now() - began);
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
    await until('the bridge is there', () => server.online);
    server.write(subscribe('340', 'user'));
    for (let n = 0; n < supervisors; n++) {
      server.write(subscribe('boss', 'supervisor').replace('/x', `/x${n}`));
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

const alone: Figures[] = [];
const watched: Figures[] = [];
const plain: Figures[] = [];
for (let round = 0; round < rounds; round++) {
  alone.push(figures(await throughBridge(0)));
  watched.push(figures(await throughBridge(20)));
  plain.push(figures(await echoDelays(eventsPerSecond * seconds, eventsPerSecond)));
}
summary('AMI socket → XMPP socket', alone);
summary('the same, 20 supervisors hear all', watched);
summary('plain echo', plain);
const added = (which: keyof Figures) => ms(medianOf(watched, which) - medianOf(alone, which));
report(
  row('what 20 supervisors add to the user’s ringing', `p50 ${added('p50')}, p99 ${added('p99')}`, '≤ 5 ms'),
);
