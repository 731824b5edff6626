import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { StanzaError } from '../src/errors.ts';
import { createLiveness } from '../src/liveness.ts';
import type { FullJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { createSessions } from '../src/sessions.ts';
import { createMemoryStore } from '../src/store/memory.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import type { Xmpp } from '../src/xmpp/xmpp.ts';

const desk = 'anna@example.org/desk' as FullJid;

function watch(answer: () => Promise<void>, status: Xmpp['state']['status'] = 'online') {
  const limits = { sessions: 10, perUser: 10, subscriptions: 10 };
  const sessions = createSessions(createMemoryStore(), createSubscriptionIndex(), limits, () => 1);
  sessions.open(desk, {}, []);
  const pinged: string[] = [];
  const unused = () => {
    throw new Error('not used here');
  };
  const xmpp: Xmpp = {
    domain: 'pbx.example.org',
    state: { status, reason: '' },
    start: unused,
    stop: unused,
    onState: unused,
    onIq: unused,
    onPresence: unused,
    onMessage: unused,
    send: unused,
    hasRoom: true,
    onRoom: unused,
    confirm: unused,
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
    liveness: createLiveness({ xmpp, sessions, log, intervalMs: 1000, timeoutMs: 1000 }),
  };
}

const refuse = (condition: StanzaError['condition']) => () => Promise.reject(new StanzaError(condition, ''));

describe('liveness', () => {
  it('keeps who answers, and who only cannot be reached for now', async () => {
    for (const answer of [
      async () => {},
      refuse('remote-server-timeout'),
      refuse('feature-not-implemented'),
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
});
