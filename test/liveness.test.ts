import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StanzaError } from '../src/errors.ts';
import { createLiveness, type LivenessOptions } from '../src/liveness.ts';
import { type FullJid, parseJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { createSessions } from '../src/sessions.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import type { Stanza, Xmpp } from '../src/xmpp/xmpp.ts';
import { until } from './servers/until.ts';
import { setup } from './xmpp/setup.ts';
import type { Tree } from './xmpp/tree.ts';

const desk = 'anna@example.org/desk' as FullJid;
const component = 'pbx.example.org';
const log = pino({ level: 'silent' });
const limits = { sessions: 200_000, perUser: 10, subscriptions: 10 };
const table = () => createSessions(createMemoryStore(), createSubscriptionIndex(), limits, () => 1);

/** The watch over one session, without a server; `answer` is what a ping to it gets. */
function watch(answer: () => Promise<void>, options: Partial<LivenessOptions> = {}) {
  const sessions = table();
  sessions.open(desk, {}, []);
  const pinged: string[] = [];
  const questions: string[] = [];
  const listeners: Record<'presence' | 'message', ((stanza: Stanza) => void)[]> = {
    presence: [],
    message: [],
  };
  const unused = () => {
    throw new Error('not used here');
  };
  let onState: (state: Xmpp['state']) => void = unused;
  let bounces = false;
  const tell = (kind: 'presence' | 'message', type: string, from: string = desk) => {
    const [sender, to] = [parseJid(from), parseJid(component)];
    if (sender === undefined || to === undefined) throw new Error('no JID');
    for (const listener of listeners[kind]) {
      listener({ from: sender, to, type, id: undefined, element: xml(kind) });
    }
  };
  const xmpp: Xmpp = {
    domain: component,
    state: { status: 'online', reason: '' },
    start: unused,
    stop: unused,
    onState(listener) {
      onState = listener;
      return () => {};
    },
    onIq: unused,
    onPresence: (listener) => void listeners.presence.push(listener),
    onMessage: (listener) => void listeners.message.push(listener),
    send(stanza) {
      questions.push(String(stanza));
      if (bounces) tell('message', 'error');
      return true;
    },
    hasRoom: true,
    onRoom: unused,
    confirm: async () => xml('iq'),
    async request(to) {
      pinged.push(to);
      await answer();
      return xml('iq');
    },
  };
  const usual = {
    intervalMs: 3_600_000,
    timeoutMs: 1000,
    leastMs: 3_600_000,
    perSecond: 1000,
    returnMs: 0,
    now: () => 1,
    monotonic: () => performance.now(),
  };
  const liveness = createLiveness({ xmpp, sessions, log, ...usual, ...options });
  liveness.start();
  onTestFinished(() => liveness.stop());
  return {
    sessions,
    pinged,
    questions,
    liveness,
    tell,
    /** The stream to the server comes up (again). */
    comeUp: () => onState({ status: 'online', reason: '' }),
    bounce: () => {
      bounces = true;
    },
  };
}

const refuse = (condition: StanzaError['condition']) => () => Promise.reject(new StanzaError(condition, ''));

describe('liveness', () => {
  it.each([
    ['answers', async () => {}],
    ['cannot be reached for now', refuse('remote-server-timeout')],
    [
      'is behind somebody who shuts down',
      () => Promise.reject(new StanzaError('service-unavailable', '', 'wait')),
    ],
    ['knows no pings', refuse('feature-not-implemented')],
    ['knows no pings and says so in the words of a server', refuse('service-unavailable')],
  ])('keeps who %s', async (_, answer) => {
    const { sessions, liveness, pinged } = watch(answer);
    liveness.suspect(desk);
    await until('it is asked twice', () => pinged.length >= 2);
    expect(sessions.size).toBe(1);
  });

  it('ends who is gone: neither the ping nor the message reaches it', async () => {
    const { sessions, tell, bounce } = watch(refuse('service-unavailable'));
    bounce();
    tell('presence', 'unavailable');
    await until('it is ended', () => sessions.size === 0);
  });

  it('asks once where the session did answer a ping before', async () => {
    let answer = async () => {};
    const { sessions, liveness, pinged, questions } = watch(() => answer());
    liveness.suspect(desk);
    await until('it is asked', () => pinged.length === 1);
    answer = refuse('service-unavailable');
    await until('it is ended', () => sessions.size === 0);
    expect(questions).toEqual([]);
  });

  it('does not end a session that was opened anew meanwhile', async () => {
    const { sessions, liveness, pinged, bounce } = watch(async () => {
      if (pinged.length > 1) return;
      sessions.open(desk, { os: 'new' }, []);
      await refuse('service-unavailable')();
    });
    bounce();
    liveness.suspect(desk);
    await until('the new one is asked', () => pinged.length >= 2);
    expect(sessions.get(desk)?.client).toEqual({ os: 'new' });
  });

  it('suspects who is unavailable and whose messages come back, and nobody else', async () => {
    for (const [kind, type, from, asked] of [
      ['presence', 'unavailable', desk, true],
      ['message', 'error', desk, true],
      ['presence', 'available', desk, false],
      ['presence', 'unavailable', 'anna@example.org', false],
      ['presence', 'unavailable', 'anna@example.org/Desk', false],
    ] as const) {
      const { tell, pinged, liveness, sessions } = watch(async () => {});
      tell(kind, type, from);
      const other = 'zoe@example.org/x' as FullJid;
      sessions.open(other, {}, []);
      liveness.suspect(other);
      await until('another suspect is asked', () => pinged.includes(other));
      expect(pinged.includes(desk), `${kind} ${type} ${from}`).toBe(asked);
    }
  });

  it('asks sooner where there are few', async () => {
    const { pinged } = watch(async () => {}, { leastMs: 300 });
    await until('it is asked twice', () => pinged.length >= 2);
  });

  it('asks about everybody in turn', async () => {
    const { pinged, sessions } = watch(async () => {}, { intervalMs: 300 });
    const other = 'zoe@example.org/x' as FullJid;
    sessions.open(other, {}, []);
    await until('both are asked twice', () => pinged.length >= 4);
    expect(pinged.slice(0, 4)).toEqual([desk, other, desk, other]);
  });

  it('leaves the clients of a restarted server some time to come back, but for those that leave since', async () => {
    let now = 0;
    const times = { intervalMs: 300, returnMs: 120_000, now: () => 2, monotonic: () => now };
    const { pinged, sessions, liveness, comeUp } = watch(async () => {}, times);
    const left = 'zoe@example.org/x' as FullJid;
    sessions.open(left, {}, []);
    // What a server says that shuts down.
    liveness.suspect(desk);
    comeUp();
    liveness.suspect(left);
    await until('who left is asked', () => pinged.length > 0);
    now = 119_000;
    await until('who left is asked again', () => pinged.length > 1);
    expect(pinged).not.toContain(desk);
    now = 121_000;
    await until('everybody is asked', () => pinged.includes(desk));
  });

  it('asks no faster than it may, suspects first', async () => {
    const { pinged, sessions, liveness } = watch(async () => {}, { perSecond: 100, monotonic: () => 0 });
    const jids = Array.from({ length: 100 }, (_, n) => `u${n}@example.org/x` as FullJid);
    for (const jid of jids) sessions.open(jid, {}, []);
    liveness.suspectAll();
    for (const jid of jids.slice(50)) liveness.suspect(jid);
    const counts = new Set<number>();
    await until('all were asked', () => {
      counts.add(pinged.length);
      return pinged.length >= 150;
    });
    expect(pinged.slice(0, 50)).toEqual(jids.slice(50));
    // Ten a tick, and never more at a time.
    expect([...counts].every((count) => count % 10 === 0 || count > 150)).toBe(true);
  });
});

describe('after a crash of the server', () => {
  it('100,000 dead sessions are cleaned up, with few questions at a time and others served meanwhile', async () => {
    const dead = 100_000;
    let stanzas = 0;
    let most = 0;
    const waiting: string[] = [];
    let write: (text: string) => void = () => {};
    // What a server says of full JIDs that are no more.
    const bounce = (stanza: Tree) => {
      const { name, attrs } = stanza;
      if (!attrs.to?.startsWith('u')) return;
      stanzas += 1;
      const { to, from, id } = attrs;
      const error =
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
      const identity = id === undefined ? '' : ` id='${id}'`;
      waiting.push(`<${name}${identity} from='${to}' to='${from}' type='error'>${error}</${name}>`);
      if (waiting.length === 1) {
        setImmediate(() => {
          write(waiting.splice(0).join(''));
        });
      }
    };
    const { component: xmpp, server } = await setup({}, { onStanza: bounce });
    xmpp.onIq('urn:xmpp:ping', () => ({ result: undefined }));
    const sessions = table();
    for (let n = 0; n < dead; n += 1) sessions.open(`u${n}@example.org/x` as FullJid, {}, []);
    const perSecond = 50_000;
    const monotonic = () => performance.now();
    const liveness = createLiveness({
      xmpp,
      sessions,
      log,
      intervalMs: 300_000,
      leastMs: 5000,
      timeoutMs: 10_000,
      perSecond,
      returnMs: 0,
      now: () => 1,
      monotonic,
    });
    await xmpp.start();
    const connection = await server.online();
    write = (text) => connection.write(text);
    liveness.start();
    onTestFinished(() => liveness.stop());
    await until('it has begun', () => sessions.size < dead);
    write(
      `<iq type='get' id='alive' from='alive@example.org/x' to='${xmpp.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
    await until('somebody else is answered', () =>
      connection.stanzas.some(({ attrs }) => attrs.id === 'alive'),
    );
    expect(sessions.size).toBeGreaterThan(0);
    await until(
      'all are ended',
      () => {
        most = Math.max(most, xmpp.counters.openRequests);
        return sessions.size === 0;
      },
      120,
    );
    // Two stanzas a session, and no more of them under way than the limit says.
    expect(stanzas).toBe(2 * dead);
    expect(most).toBeLessThanOrEqual(5001);
    expect(xmpp.counters.refused).toBe(0);
    expect(xmpp.counters.connects).toBe(1);
  }, 150_000);
});
