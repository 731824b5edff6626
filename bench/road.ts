/**
 * One road from AMI bytes to XMPP bytes, in a process of its own (the roads share code, and what one does to it the next would pay
 * for): `road.js NAME RECIPIENTS AMI-PORT XMPP-PORT USERS [SUBSCRIPTIONS-OF-OTHERS]`. Tells its parent the CPU seconds of each round, and how many messages it sent.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { component, xml } from '@xmpp/component';
import createManager from 'asterisk-manager';
import { pino } from 'pino';
import { callsOf } from '../src/directory/calls.ts';
import { createDirectory } from '../src/directory.ts';
import { describeChannel } from '../src/modules/channel-event.ts';
import { emptyQueueing } from '../src/modules/define.ts';
import { modules } from '../src/modules/index.ts';
import { createFramer } from '../src/pbx/framing.ts';
import type { AmiMessage } from '../src/pbx/message.ts';
import { openSocket } from '../src/pbx/socket.ts';
import { createTranslate, translatedEvents } from '../src/pbx/translate.ts';
import { wantedEvents } from '../src/pbx/wanted.ts';
import { emptyPhonebook } from '../src/phonebook/model.ts';
import { CMD_NS } from '../src/protocol/envelope.ts';
import type { BareJid, FullJid } from '../src/protocol/jid.ts';
import { createPublish } from '../src/publish.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { createComponent } from '../src/xmpp/component.ts';
import { user } from '../test/modules/harness.ts';
import { extensionOf } from './load.ts';
import { cpuSecondsOf } from './measure.ts';
import { createPlainReader, type Get } from './plain.ts';

const [name = '', recipientsText = '1', amiPort = '', xmppPort = '', usersText = '', othersText = '0'] =
  process.argv.slice(2);
const recipients = Number(recipientsText);
const ami = { host: '127.0.0.1', port: Number(amiPort), connectTimeoutMs: 5000 };
const domain = 'pbx.example.org';

const people = Array.from({ length: Number(usersText) }, (_, n) =>
  user(extensionOf(n), extensionOf(n), `User ${n}`, { pickupGroups: new Set(), callGroups: new Set() }),
);
const directory = createDirectory(people);
const sessionsOf = new Map(
  people.map(({ jid }) => [
    jid,
    Array.from({ length: recipients }, (_, n) => `${jid}/device-${n}` as FullJid),
  ]),
);

const index = createSubscriptionIndex();
for (const [jid, sessions] of sessionsOf) {
  for (const session of sessions) {
    index.set(session, jid, [{ module: 'base', type: 'ChannelEvent', scope: 'user', filters: [] }]);
  }
}
for (let n = 0; n < Number(othersText); n++) {
  const jid = `other${n}@example.org`;
  index.set(`${jid}/device` as FullJid, jid as BareJid, [
    { module: 'base', type: 'ChannelEvent', scope: 'user', filters: [] },
  ]);
}

/** A road that is there once, as a bridge is; each round is a new connection to the feed, and other calls. */
interface Road {
  /** Takes one round, to its last byte. Gives how many messages were sent. */
  round(): Promise<number>;
  stop(): Promise<void>;
}

/** The bridge's own parts, as the program wires them. */
async function ours(): Promise<Road> {
  const xmpp = createComponent({
    service: `xmpp://127.0.0.1:${xmppPort}`,
    domain,
    secret: 's',
    log: pino({ level: 'silent' }),
    limits: { eventBytes: 1e9, eventMarkBytes: 1e9 },
  });
  await xmpp.start();
  const calls = callsOf(() => directory);
  const world = { directory, calls, phonebook: emptyPhonebook, queueing: emptyQueueing };
  const publish = createPublish({
    modules,
    index,
    from: domain,
    send: xmpp.send,
    hasRoom: () => xmpp.hasRoom,
  });
  const translate = createTranslate({ now: () => 0 });
  const wanted = wantedEvents(translatedEvents);
  function onMessage(message: AmiMessage): void {
    const event = translate(message);
    if (event === undefined) return;
    const changes = calls.apply(event);
    if (changes.length > 0) publish(changes, world);
  }
  const confirming = setInterval(() => void publish.settle(async () => {}), 100);
  const sent = () => publish.counters.reduce((sum, counter) => sum + counter.sent, 0);
  return {
    async round() {
      const before = sent();
      const socket = await openSocket(ami, createFramer({ wanted, onMessage }).push);
      await once(socket, 'close');
      while (xmpp.counters.buffered > 0) await wait(1);
      return sent() - before;
    },
    async stop() {
      clearInterval(confirming);
      await xmpp.stop(0);
    },
  };
}

/** The same model and the same events between asterisk-manager and the XMPP library as their manuals show them. */
async function naive(): Promise<Road> {
  const entity = component({ service: `xmpp://127.0.0.1:${xmppPort}`, domain, password: 's' });
  entity.on('error', () => {});
  await entity.start();
  const calls = callsOf(() => directory);
  const translate = createTranslate({ now: () => 0 });
  let sending: Promise<unknown>[] = [];
  function onEvent(headers: Readonly<Record<string, unknown>>): void {
    const event = translate(parsed(headers));
    for (const change of event === undefined ? [] : calls.apply(event)) {
      if (change.kind !== 'channel') continue;
      const owner = directory.byDevice(change.view.device)?.user.jid;
      const value = describeChannel(change.type, change.details, change.view, {
        directory,
        phonebook: emptyPhonebook,
      });
      for (const to of sessionsOf.get(owner ?? ('' as BareJid)) ?? []) {
        const children = Object.entries(value).map(([key, text]) => xml(key, {}, String(text ?? '')));
        const payload = xml('cmd', { xmlns: CMD_NS, module: 'base' }, xml('ChannelEvent', {}, ...children));
        sending.push(entity.send(xml('message', { to, from: domain, type: 'headline' }, payload)));
      }
    }
  }
  return {
    async round() {
      sending = [];
      const manager = createManager(null, '', '', '', false);
      manager.on('managerevent', onEvent);
      manager.connect(ami.port, ami.host);
      await new Promise<void>((resolve) => manager.on('close', resolve));
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all(sending);
      return sending.length;
    },
    async stop() {
      await entity.stop();
    },
  };
}

/** asterisk-manager's object in the translator's eyes. */
function parsed(headers: Readonly<Record<string, unknown>>): AmiMessage {
  const get = (key: string) => {
    const value = headers[key.toLowerCase()];
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === 'string' ? first : '';
  };
  return { event: get('Event'), get, has: (key) => get(key) !== '', entries: () => [] };
}

/** The events that a ChannelEvent could come of, to one who has no model: all that bear the channel. */
const everyEvent = translatedEvents.filter((each) => each !== 'Newexten' && each !== 'DeviceStateChange');
/** Those that one does come of in the recorded call, roughly: for a road that says no more than ours. */
const fewEvents = ['Newchannel', 'BridgeEnter', 'Hangup'];

/** A reader of these events, as ours and as {@link createPlainReader} are made. */
type MakeReader = (events: readonly string[], onMessage: (get: Get) => void) => (chunk: Buffer) => void;

const ourReader: MakeReader = (events, onMessage) =>
  createFramer({
    wanted: wantedEvents(events),
    onMessage: (message) => onMessage((header) => message.get(header)),
  }).push;
const plainReader: MakeReader = (events, onMessage) => createPlainReader(new Set(events), onMessage);

/** A reader, the channel's name, a fixed text of the size of an event, large writes: no state at all. */
async function bare(makeReader: MakeReader, events: readonly string[]): Promise<Road> {
  const socket = connect(Number(xmppPort), '127.0.0.1');
  socket.write('<stream:stream><handshake/>');
  const rest = `${'<targetName>Somebody</targetName>'.repeat(20)}</ChannelEvent></cmd></message>`;
  let joined = '';
  let sent = 0;
  const onMessage = (get: Get) => {
    const channel = get('Channel');
    const end = channel.lastIndexOf('-');
    const jid = `${channel.slice(channel.indexOf('/') + 1, end)}@example.org` as BareJid;
    for (const to of sessionsOf.get(jid) ?? []) {
      joined += `<message to='${to}' from='${domain}' type='headline'><cmd xmlns='${CMD_NS}' module='base'><ChannelEvent><eventId>${channel}</eventId>${rest}`;
      sent += 1;
      if (joined.length < 65_536) continue;
      socket.write(joined);
      joined = '';
    }
  };
  return {
    async round() {
      sent = 0;
      const feed = await openSocket(ami, makeReader(events, onMessage));
      await once(feed, 'close');
      await new Promise<void>((resolve) => void socket.write(joined, () => resolve()));
      joined = '';
      return sent;
    },
    async stop() {
      socket.destroy();
    },
  };
}

const roads: Readonly<Record<string, () => Promise<Road>>> = {
  ours,
  naive,
  bare: () => bare(plainReader, everyEvent),
  'bare, our reader': () => bare(ourReader, everyEvent),
  'bare, our reader, few events': () => bare(ourReader, fewEvents),
};
const makeRoad = roads[name];
if (makeRoad === undefined) throw new Error(`there is no road "${name}"`);
const road = await makeRoad();
let messages = 0;
const seconds = await cpuSecondsOf(async () => {
  messages = await road.round();
});
await road.stop();
process.send?.({ seconds, messages });
process.disconnect?.();
