/**
 * A busy call centre, from the AMI byte to the stanza on the socket: 50 queues, 500 agents with their own queue each, 200 waiting calls and a
 * supervisor who hears everything, 1000 AMI events a second. The bridge is a process of its own, next to an echo process.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAsterisk } from '../test/asterisk/asterisk.ts';
import {
  agentNamed,
  business,
  busy,
  type CentreEvent,
  centreUsers,
  lineOf,
  opening,
  queueNamed,
} from '../test/queues/centre.ts';
import { until } from '../test/servers/until.ts';
import { echoDelays, paced, percentile } from './paced.ts';
import { domain, startBridge, startPort, subscribe, users } from './port.ts';
import { report, row } from './report.ts';

const eventsPerSecond = 1000;
const seconds = 10;
const directory = join(tmpdir(), `offhook-bench-queues-${process.pid}.yaml`);
writeFileSync(directory, centreUsers(busy));
process.on('exit', () => rmSync(directory, { force: true }));

/** Delays of what the supervisor and what the agents hear, and how many stanzas there were. */
async function throughBridge() {
  const asterisk = await startAsterisk({
    users,
    queues: Array.from({ length: busy.queues }, (_, n) => ({
      name: queueNamed(n),
      number: `${500 + n}`,
      members: [],
    })),
  });
  const sent = new Map<string, number>();
  const supervisor: number[] = [];
  const agents: number[] = [];
  let subscribed = 0;
  const xmpp = await startPort((stanza) => {
    const now = performance.now();
    if (stanza.startsWith('<iq')) subscribed += 1;
    const heard = lineOf(stanza);
    const began = heard && sent.get(heard.join(' '));
    if (began === undefined) return;
    (stanza.includes(` to='boss@`) ? supervisor : agents).push(now - began);
  });
  const bridge = startBridge(xmpp.port, asterisk.port, {
    DIRECTORY_FILE: directory,
    RATE_LIMIT_PER_SECOND: '1000',
  });
  try {
    const stream = await xmpp.accepted;
    const everybody = Array.from({ length: busy.queues * busy.agentsPerQueue }, (_, n) => agentNamed(n));
    const queues = "module='queue' type='*'";
    stream.write(subscribe(`boss@${domain}/x`, `${queues} scope='supervisor'`));
    for (const agent of everybody) stream.write(subscribe(`${agent}@${domain}/x`, queues));
    await until('all have subscribed', () => subscribed > everybody.length, 60);
    await until('the feed reads', () => asterisk.actions.some(({ name }) => name === 'QueueStatus'), 60);
    const emit = ({ event, headers, privilege, told }: CentreEvent) => {
      if (told !== undefined) sent.set(told.join(' '), performance.now());
      asterisk.emit(event, headers, privilege);
    };
    for (const each of opening(busy)) emit(each);
    await until('it is busy', () => supervisor.length >= sent.size, 60);
    supervisor.splice(0);
    agents.splice(0);
    const events = business(busy);
    let expected = 0;
    await paced(eventsPerSecond * seconds, eventsPerSecond, () => {
      const { value } = events.next();
      if (value === undefined) return;
      emit(value);
      if (value.told !== undefined) expected += 1;
    });
    await until('the supervisor has heard everything', () => supervisor.length >= expected, 60);
    const all = expected * busy.agentsPerQueue;
    await until('the agents have, too', () => agents.length >= all, 60);
    // Where this process gets no turn for long, the bridge makes its stream anew, and tells again what may not have arrived.
    return { supervisor, agents, again: supervisor.length - expected };
  } finally {
    await bridge.stop();
    await xmpp.stop();
    await asterisk.stop();
  }
}

const sorted = (samples: readonly number[]) => [...samples].sort((a, b) => a - b);
const figures = (samples: readonly number[]) =>
  `p50 ${percentile(samples, 0.5).toFixed(2)} ms, p99 ${percentile(samples, 0.99).toFixed(2)} ms`;

const told = await throughBridge();
const centre = { supervisor: sorted(told.supervisor), agents: sorted(told.agents) };
const plain = sorted(await echoDelays(eventsPerSecond * seconds, eventsPerSecond));
report(row('call centre: to the supervisor', figures(centre.supervisor), 'p99 < 10 ms'));
report(row('call centre: to the agents', figures(centre.agents), `${centre.agents.length} events`));
report(row('plain echo beside it', figures(plain), `${plain.length} samples`));
report(
  row(
    'call centre: p99 to the supervisor, to that of the echo',
    (percentile(centre.supervisor, 0.99) / percentile(plain, 0.99)).toFixed(1),
    `none lost, ${told.again} told again`,
  ),
);
