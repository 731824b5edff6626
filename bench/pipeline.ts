/**
 * The whole road, AMI bytes to ChannelEvent bytes, on one core: CPU time for recorded calls repeated, from socket to socket, with
 * 10,000 subscriptions at 1 and at 10 recipients per event. Beside it the same road built as one would at first
 * (asterisk-manager, the library's xml() and send()), and a road that knows nothing of calls: the bare reader, a fixed text, large writes.
 */
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { component, xml } from '@xmpp/component';
import createManager from 'asterisk-manager';
import { pino } from 'pino';
import { callsOf } from '../src/directory/calls.ts';
import { createDirectory } from '../src/directory.ts';
import { describeChannel } from '../src/modules/channel-event.ts';
import { modules } from '../src/modules/index.ts';
import { createFramer } from '../src/pbx/framing.ts';
import type { AmiMessage } from '../src/pbx/message.ts';
import { openSocket } from '../src/pbx/socket.ts';
import { createTranslate, translatedEvents } from '../src/pbx/translate.ts';
import { wantedEvents } from '../src/pbx/wanted.ts';
import { CMD_NS } from '../src/protocol/envelope.ts';
import type { BareJid, FullJid } from '../src/protocol/jid.ts';
import { createPublish } from '../src/publish.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { createComponent } from '../src/xmpp/component.ts';
import { user } from '../test/modules/harness.ts';
import { extensionOf, repeatedCalls } from './load.ts';
import { cpuSeconds, neighbor } from './measure.ts';
import { report } from './report.ts';

const subscriptions = 10_000;
const domain = 'pbx.example.org';
const log = pino({ level: 'silent' });
const file = join(tmpdir(), `offhook-bench-${process.pid}.ami`);
process.on('exit', () => rmSync(file, { force: true }));
const { bytes, events } = repeatedCalls({ calls: 1000, users: subscriptions, atOnce: 100 });

async function compare(recipients: number): Promise<Map<string, number>> {
  const users = subscriptions / recipients;
  const load = recipients === 1 ? { bytes, events } : repeatedCalls({ calls: 1000, users, atOnce: 100 });
  writeFileSync(file, load.bytes);
  const source = await neighbor('./source.js', [file]);
  const sink = await neighbor('./sink.js');
  const people = Array.from({ length: users }, (_, n) =>
    user(extensionOf(n), extensionOf(n), `User ${n}`, { pickupGroups: new Set(), callGroups: new Set() }),
  );
  const directory = createDirectory(people);
  const sessionsOf = new Map(
    people.map(({ jid }) => [jid, Array.from({ length: recipients }, (_, n) => `${jid}/device-${n}` as FullJid)]),
  );
  const index = createSubscriptionIndex();
  for (const [jid, sessions] of sessionsOf) {
    for (const session of sessions) {
      index.set(session, jid, [{ module: 'base', type: 'ChannelEvent', scope: 'user', filters: [] }]);
    }
  }
  const messages: Record<string, number> = {};

  async function ours(): Promise<void> {
    const xmpp = createComponent({
      service: `xmpp://127.0.0.1:${sink.port}`,
      domain,
      secret: 's',
      log,
      limits: { eventBytes: 1e9, eventMarkBytes: 1e9 },
    });
    await xmpp.start();
    const calls = callsOf(() => directory);
    const world = { directory, calls };
    const publish = createPublish({
      modules,
      index,
      from: domain,
      send: (stanza) => xmpp.send(stanza),
      hasRoom: () => xmpp.hasRoom,
    });
    const translate = createTranslate({ now: () => 0 });
    const framer = createFramer({
      wanted: wantedEvents(translatedEvents),
      onMessage(message) {
        const event = translate(message);
        if (event === undefined) return;
        const changes = calls.apply(event);
        if (changes.length > 0) publish(changes, world);
      },
    });
    const socket = await openSocket({ host: '127.0.0.1', port: source.port, connectTimeoutMs: 5000 }, framer.push);
    await once(socket, 'close');
    messages.ours = publish.counters.reduce((sum, { sent }) => sum + sent, 0);
    await idle(() => xmpp.counters.buffered === 0);
    await xmpp.stop(0);
  }

  async function naive(): Promise<void> {
    const entity = component({ service: `xmpp://127.0.0.1:${sink.port}`, domain, password: 's' });
    entity.on('error', () => {});
    await entity.start();
    const calls = callsOf(() => directory);
    const translate = createTranslate({ now: () => 0 });
    const manager = createManager(null, '', '', '', false);
    const sending: Promise<unknown>[] = [];
    let sent = 0;
    manager.on('managerevent', (headers) => {
      const event = translate(parsed(headers));
      if (event === undefined) return;
      for (const change of calls.apply(event)) {
        if (change.kind !== 'channel') continue;
        const owner = directory.byDevice(change.view.device)?.user.jid;
        const value = describeChannel(change.type, change.details, change.view, directory);
        for (const to of sessionsOf.get(owner ?? ('' as BareJid)) ?? []) {
          const children = Object.entries(value).map(([name, text]) => xml(name, {}, String(text)));
          const payload = xml('cmd', { xmlns: CMD_NS, module: 'base' }, xml('ChannelEvent', {}, ...children));
          sending.push(entity.send(xml('message', { to, from: domain, type: 'headline' }, payload)));
          sent += 1;
        }
      }
    });
    manager.connect(source.port, '127.0.0.1');
    await new Promise<void>((resolve) => manager.on('close', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(sending);
    messages.naive = sent;
    await entity.stop();
  }

  async function bare(): Promise<void> {
    const socket = connect(sink.port, '127.0.0.1');
    socket.write('<stream:stream><handshake/>');
    const event = '<eventType/>'.repeat(44);
    let joined = '';
    let sent = 0;
    const framer = createFramer({
      wanted: wantedEvents(bareEvents),
      onMessage(message) {
        const channel = message.get('Channel');
        if (bareStates.has(message.event) && message.get('ChannelStateDesc') === 'Ring') return;
        const jid = `${channel.slice(channel.indexOf('/') + 1, channel.lastIndexOf('-'))}@example.org` as BareJid;
        for (const to of sessionsOf.get(jid) ?? []) {
          joined += `<message to='${to}' from='${domain}' type='headline'><cmd xmlns='${CMD_NS}' module='base'><ChannelEvent><eventId>${channel}</eventId>${event}</ChannelEvent></cmd></message>`;
          sent += 1;
          if (joined.length < 65_536) continue;
          socket.write(joined);
          joined = '';
        }
      },
    });
    const feed = await openSocket({ host: '127.0.0.1', port: source.port, connectTimeoutMs: 5000 }, framer.push);
    await once(feed, 'close');
    await new Promise<void>((resolve) => void socket.end(joined, () => resolve()));
    messages.bare = sent;
  }

  const seconds = await cpuSeconds({ naive, bare, ours });
  source.stop();
  sink.stop();
  console.log(recipients, 'messages', messages, 'events', load.events, 'bytes', load.bytes.length);
  return new Map([...seconds].map(([name, each]) => [name, load.events / each]));
}

/** Waits until there is nothing left to do, at next to no cost. */
async function idle(isDone: () => boolean): Promise<void> {
  while (!isDone()) await wait(1);
}

const bareEvents = ['Newstate', 'BridgeEnter', 'Hangup', 'Newchannel'];
const bareStates = new Set(['Newstate', 'Newchannel']);

/** asterisk-manager's object in the translator's eyes. */
function parsed(headers: Readonly<Record<string, unknown>>): AmiMessage {
  const get = (name: string) => {
    const value = headers[name.toLowerCase()];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' ? first : '';
  };
  return { event: get('Event'), get, has: (name) => get(name) !== '', entries: () => [] };
}

for (const recipients of [1, 10]) {
  const rate = await compare(recipients);
  console.log(Object.fromEntries([...rate].map(([n, v]) => [n, Math.round(v)])));
  console.log('x naive', (rate.get('ours')! / rate.get('naive')!).toFixed(2), 'x bare', (rate.get('ours')! / rate.get('bare')!).toFixed(2));
}
void report;
