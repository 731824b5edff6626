import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { StanzaError } from '../src/errors.ts';
import { createLiveness } from '../src/liveness.ts';
import { type FullJid, parseJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { createSessions } from '../src/sessions.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import type { Stanza, Xmpp } from '../src/xmpp/xmpp.ts';

const desk = 'anna@example.org/desk' as FullJid;

/** `returned`: what the server does with a message to the one who is asked about. */
function watch(
  answer: () => Promise<void>,
  status: Xmpp['state']['status'] = 'online',
  returned: 'returned' | 'delivered' = 'returned',
) {
  const limits = { sessions: 10, perUser: 10, subscriptions: 10 };
  const sessions = createSessions(createMemoryStore(), createSubscriptionIndex(), limits, () => 1);
  sessions.open(desk, {}, []);
  const pinged: string[] = [];
  const unused = () => {
    throw new Error('not used here');
  };
  let onState: (state: Xmpp['state']) => void = unused;
  let clock = 1;
  let onMessage: (stanza: Stanza) => void = unused;
  const xmpp: Xmpp = {
    domain: 'pbx.example.org',
    state: { status, reason: '' },
    start: unused,
    stop: unused,
    onState(listener) {
      onState = listener;
      return () => {};
    },
    onIq: unused,
    onPresence: unused,
    onMessage: (listener) => {
      onMessage = listener;
    },
    send(stanza) {
      const id = / id='([^']+)'/.exec(stanza)?.[1];
      const [from, to] = [parseJid(desk), parseJid('pbx.example.org')];
      if (from && to && returned === 'returned')
        onMessage({ from, to, type: 'error', id, element: xml('message') });
      return true;
    },
    async request(to) {
      pinged.push(to);
      await answer();
      return xml('iq');
    },
  };
  const log = pino({ level: 'silent' });
  return {
    sessions,
    pinged,
    liveness: createLiveness({ xmpp, sessions, log, intervalMs: 1000, timeoutMs: 1000, now: () => clock }),
    /** The stream to the server comes up at this time. */
    comesUp(at: number) {
      clock = at;
      onState({ status: 'online', reason: '' });
    },
    passes(ms: number) {
      clock += ms;
    },
  };
}

const refuse = (condition: StanzaError['condition']) => () => Promise.reject(new StanzaError(condition, ''));

describe('liveness', () => {
  it('keeps who answers, and who only cannot be reached for now', async () => {
    for (const answer of [
      async () => {},
      refuse('remote-server-timeout'),
      refuse('feature-not-implemented'),
      // The stream was lost while the ping was under way.
      () => Promise.reject(new StanzaError('service-unavailable', '', 'wait')),
    ]) {
      const { sessions, liveness } = watch(answer);
      await liveness.verify(desk);
      expect(sessions.size).toBe(1);
    }
  });

  it('ends who is gone', async () => {
    const { sessions, liveness } = watch(refuse('service-unavailable'));
    await liveness.verify(desk);
    expect(sessions.size).toBe(0);
  });

  it('keeps a client that knows no pings: messages to it do not come back', async () => {
    const { sessions, liveness } = watch(refuse('service-unavailable'), 'online', 'delivered');
    await liveness.verify(desk);
    expect(sessions.size).toBe(1);
  });

  it('does not end a session that was opened anew meanwhile', async () => {
    const { sessions, liveness } = watch(() => {
      sessions.open(desk, { os: 'new' }, []);
      return refuse('service-unavailable')();
    });
    await liveness.verify(desk);
    expect(sessions.get(desk)?.client).toEqual({ os: 'new' });
  });

  it('asks nobody while the server is away', async () => {
    const { pinged, liveness } = watch(async () => {}, 'connecting');
    await liveness.verify(desk);
    expect(pinged).toEqual([]);
  });

  it('asks about everybody in turn', async () => {
    const { pinged, liveness } = watch(async () => {});
    liveness.start();
    await expect.poll(() => pinged, { timeout: 10_000 }).toEqual([desk]);
    liveness.stop();
  });

  it('leaves the clients of a restarted server some time to come back', async () => {
    const { sessions, pinged, liveness, comesUp, passes } = watch(async () => {});
    comesUp(5000);
    const laptop = 'anna@example.org/laptop' as FullJid;
    sessions.restore([{ jid: laptop, since: 6000, client: {}, subscriptions: [] }]);
    liveness.start();
    await expect.poll(() => pinged, { timeout: 10_000 }).toEqual([laptop]);
    passes(120_000);
    await expect.poll(() => pinged, { timeout: 10_000 }).toContain(desk);
    liveness.stop();
  });
});
