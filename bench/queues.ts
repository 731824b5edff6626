/**
 * A busy call centre, from the AMI byte to the stanza on the socket: 50 queues, 500 agents with their own queue each, 200 waiting calls and a
 * supervisor who hears everything, 1000 AMI events a second. The bridge is a process of its own, next to an echo process.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { report, row } from './report.ts';

const eventsPerSecond = 1000;
const seconds = 10;
const domain = 'example.test';
const component = `pbx.${domain}`;
const secret = 'bench';
const directory = join(tmpdir(), `offhook-bench-queues-${process.pid}.yaml`);
writeFileSync(directory, centreUsers(busy));
process.on('exit', () => rmSync(directory, { force: true }));

const subscribe = (user: string, scope: string) =>
  `<iq type='set' id='s' from='${user}@${domain}/x' to='${component}'>` +
  "<cmd xmlns='http://www.pascom.net/mobydick' module='event'><AddSubscription>" +
  `<Subscription module='queue' type='*' scope='${scope}'/></AddSubscription></cmd></iq>`;

/** A component port (XEP-0114) that believes everybody, hands stanzas to the component itself back, and looks at all others. */
async function port(onStanza: (stanza: string) => void) {
  let online: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    online = resolve;
  });
  const server = createServer((socket) => {
    socket.setNoDelay(true).setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    let rest = '';
    let greeted = false;
    socket.on('data', (text: string) => {
      rest += text;
      if (!greeted) {
        if (rest.includes('<stream:stream'))
          socket.write(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='1'>",
          );
        greeted = rest.includes('</handshake>');
        rest = greeted ? rest.slice(rest.indexOf('</handshake>') + '</handshake>'.length) : '';
        if (greeted) {
          socket.write('<handshake/>');
          online(socket);
        }
        return;
      }
      const ends = /<\/(?:message|iq|presence)>/g;
      let from = 0;
      for (let end = ends.exec(rest); end !== null; end = ends.exec(rest)) {
        const stanza = rest.slice(from, ends.lastIndex);
        from = ends.lastIndex;
        if (stanza.startsWith('<iq') && stanza.includes(` to='${component}'`)) socket.write(stanza);
        else onStanza(stanza);
      }
      rest = rest.slice(from);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, accepted, server };
}

/** Delays of what the supervisor and what the agents hear, and how many stanzas there were. */
async function throughBridge() {
  const asterisk = await startAsterisk({
    users: [
      { username: 'feed', secret, read: ['all'], write: ['reporting'] },
      { username: 'control', secret, read: ['call'], write: ['all'] },
    ],
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
  const xmpp = await port((stanza) => {
    const now = performance.now();
    if (stanza.startsWith('<iq')) subscribed += 1;
    const heard = lineOf(stanza);
    const began = heard && sent.get(heard.join(' '));
    if (began === undefined) return;
    (stanza.includes(` to='boss@`) ? supervisor : agents).push(now - began);
  });
  const bridge = fork(fileURLToPath(new URL('../src/main.js', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      XMPP_SERVICE: `xmpp://127.0.0.1:${xmpp.port}`,
      XMPP_COMPONENT: component,
      XMPP_SECRET: secret,
      AMI_PORT: String(asterisk.port),
      AMI_USERNAME: 'control',
      AMI_SECRET: secret,
      AMI_FEED_USERNAME: 'feed',
      AMI_FEED_SECRET: secret,
      DIRECTORY_FILE: directory,
      RATE_LIMIT_PER_SECOND: '1000',
      HTTP_LISTEN: '',
      LOG_LEVEL: 'error',
    },
  });
  try {
    const stream = await xmpp.accepted;
    const everybody = Array.from({ length: busy.queues * busy.agentsPerQueue }, (_, n) => agentNamed(n));
    stream.write(subscribe('boss', 'supervisor'));
    for (const agent of everybody) stream.write(subscribe(agent, 'user'));
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
    bridge.kill();
    await once(bridge, 'exit');
    xmpp.server.close();
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
