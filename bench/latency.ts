/**
 * From the AMI byte to the stanza on the socket, under 1000 events a second: the bridge as a process of its own, between a
 * simulated Asterisk and an XMPP component port, next to a plain echo process through the same kind of socket.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAsterisk } from '../test/asterisk/asterisk.ts';
import { until } from '../test/servers/until.ts';
import { median } from './measure.ts';
import { echoDelays, paced, percentile } from './paced.ts';
import { domain, startBridge, startPort, subscribe, users } from './port.ts';
import { report, row } from './report.ts';

const eventsPerSecond = 1000;
/** Rounds of each way, in turn: what else the machine does meets all of them. The first second of each warms up. */
const rounds = 3;
const seconds = 5;
/** Every so many events one makes a ChannelEvent; the others are what Asterisk says besides. */
const everyNth = 10;
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
  const asterisk = await startAsterisk({ users });
  const sent = new Map<string, number>();
  const samples: number[] = [];
  let subscribed = 0;
  let heard = 0;
  const server = await startPort((text) => {
    if (text.includes("type='result'")) subscribed += 1;
    if (!text.includes("to='340@") || !text.includes('<eventType>ringing<')) return;
    heard += 1;
    const began = sent.get(/<eventId>([^<]*)</.exec(text)?.[1] ?? '');
    if (began !== undefined) samples.push(performance.now() - began);
  });
  const bridge = startBridge(server.port, asterisk.port, { DIRECTORY_FILE: directory });
  try {
    const stream = await server.accepted;
    const calls = "module='base' type='ChannelEvent'";
    stream.write(subscribe(`340@${domain}/x`, calls));
    for (let n = 0; n < supervisors; n++)
      stream.write(subscribe(`boss@${domain}/x${n}`, `${calls} scope='supervisor'`));
    await until('all have subscribed', () => subscribed > supervisors);
    // The feed may still be on its way.
    let early = eventsPerSecond * seconds;
    await until('calls are told', () => {
      early += 1;
      asterisk.emit('Newchannel', channel(early, 'Down'));
      asterisk.emit('Newstate', channel(early, 'Ringing'));
      asterisk.emit('Hangup', { ...channel(early, 'Ringing'), Cause: '16' });
      return heard > 0;
    });
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
    await bridge.stop();
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
