/** How the end of a session is noticed on every real server. */

import { client as createXmppClient, type Element } from '@xmpp/client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createLiveness, type LivenessOptions } from '../../src/liveness.ts';
import { createPresenceRequest } from '../../src/presence-request.ts';
import type { FullJid } from '../../src/protocol/jid.ts';
import { createSessions } from '../../src/sessions.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createSubscriptionIndex } from '../../src/subscriptions/index.ts';
import { createComponent } from '../../src/xmpp/component.ts';
import { servePing } from '../../src/xmpp/ping.ts';
import { legacyClient } from '../legacy/client.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { keepLog, quick } from '../xmpp/setup.ts';

const domain = 'pbx.example.test';
const component = { jid: domain, secret: 'secret' };
const tweber = { name: 'tweber', password: 'one' };
// Whoever grants a subscription has it for the rest of the tests.
const mmeyer = { name: 'mmeyer', password: 'two' };
const day = 24 * 3_600_000;
const never = { intervalMs: day, leastMs: day };
const often = { intervalMs: 300, leastMs: 300 };

/** Runs the suite on a server that `start` starts. `tellsAll`: its privileged presence says when anybody leaves. */
export function livenessContract(
  name: string,
  start: (options: XmppOptions) => Promise<XmppServer>,
  { tellsAll }: { readonly tellsAll: boolean },
): void {
  describe(`the end of a session on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await start({ domain: 'example.test', users: [tweber, mmeyer], component });
    });
    afterAll(() => server?.stop());

    /** The watch, over a component of its own. */
    async function watching(times: Pick<LivenessOptions, 'intervalMs' | 'leastMs'>, on = server) {
      const service = `xmpp://${on.host}:${on.componentPort}`;
      const xmpp = createComponent({ service, domain, secret: 'secret', log: keepLog(), limits: quick });
      servePing(xmpp);
      const limits = { sessions: 100, perUser: 10, subscriptions: 10 };
      const sessions = createSessions(createMemoryStore(), createSubscriptionIndex(), limits, () => 1);
      const log = pino({ level: 'silent' });
      const monotonic = () => performance.now();
      const liveness = createLiveness({
        xmpp,
        sessions,
        log,
        timeoutMs: 1000,
        perSecond: 100,
        returnMs: 0,
        now: () => 1,
        monotonic,
        ...times,
      });
      const presences: string[] = [];
      xmpp.onPresence(({ type, from }) => presences.push(`${type} ${from.resource}`));
      onTestFinished(async () => {
        liveness.stop();
        await xmpp.stop(0);
      });
      await xmpp.start();
      liveness.start();
      const open = (jid: string, os = '') => sessions.open(jid as FullJid, { os }, []);
      return { xmpp, sessions, liveness, presences, open };
    }

    /** Waits until the session was certainly asked about, with the given client there. */
    const asked = (client: {
      stanzas: readonly { name: string; attrs: Readonly<Record<string, string>> }[];
    }) =>
      until('it is asked', () =>
        client.stanzas.some(({ attrs }) => attrs.from === domain && attrs.type === 'get'),
      );

    for (const refusesPings of [false, true]) {
      const kind = refusesPings ? 'refuses pings' : 'leaves pings unanswered';
      test(`a client without presence that ${kind} is asked, kept, and ended once it vanishes`, async () => {
        const { sessions, open } = await watching(often);
        const client = await legacyClient(server, tweber, { refusesPings });
        open(client.jid);
        await asked(client);
        if (refusesPings) {
          await until('it gets the second question', () =>
            client.stanzas.some(({ attrs }) => attrs.type === 'groupchat'),
          );
        }
        expect(sessions.size).toBe(1);
        client.vanish();
        await until('it is ended', () => sessions.size === 0, 20);
      });
    }

    test.each(['leave', 'vanish'] as const)(
      'directed presence tells when a client decides to %s',
      async (how) => {
        const { sessions, open, presences } = await watching(never);
        const client = await legacyClient(server, tweber);
        open(client.jid);
        client.send(`<presence to='${domain}'/>`);
        await until('it is there', () => presences.includes('available agsXMPP'));
        if (how === 'leave') client.send("<presence type='unavailable'/>");
        await client[how]();
        await until('it is ended', () => sessions.size === 0);
      },
    );

    test('a client that is unavailable but still there keeps its session', async () => {
      const { sessions, open, presences } = await watching(never);
      const client = await legacyClient(server, tweber);
      open(client.jid);
      client.send(`<presence to='${domain}'/><presence to='${domain}' type='unavailable'/>`);
      await until('both came', () => presences.includes('unavailable agsXMPP'));
      await asked(client);
      expect(sessions.size).toBe(1);
    });

    test('who grants the request for presence is noticed to leave, and is not asked again', async () => {
      const { xmpp, sessions, open, presences } = await watching(never);
      sessions.onOpen(createPresenceRequest(xmpp, 100));
      const client = await legacyClient(server, mmeyer);
      await client.appear();
      open(client.jid);
      await until('it is requested', () => client.stanzas.some(({ attrs }) => attrs.type === 'subscribe'));
      client.send(`<presence to='${domain}' type='subscribed'/>`);
      await until('it is there', () => presences.includes('available agsXMPP'));
      client.vanish();
      await until('it is ended', () => sessions.size === 0);

      // As after a restart of the bridge, which does not know any more whom it asked.
      const again = await legacyClient(server, mmeyer, { resource: 'later' });
      await again.appear();
      createPresenceRequest(xmpp, 100)(open(again.jid));
      await until('the server answers for the user', () => presences.includes('subscribed '));
      expect(again.stanzas.some(({ attrs }) => attrs.type === 'subscribe')).toBe(false);
    });

    test('a replaced resource does not cost its successor the session', async () => {
      const { sessions, open, presences } = await watching(never);
      const first = await legacyClient(server, tweber);
      first.send(`<presence to='${domain}'/>`);
      open(first.jid, 'first');
      await until('it is there', () => presences.includes('available agsXMPP'));
      const second = await legacyClient(server, tweber);
      expect(second.jid).toBe(first.jid);
      open(second.jid, 'second');
      await until('the end of the first is told', () => presences.includes('unavailable agsXMPP'));
      await asked(second);
      expect(sessions.get(second.jid as FullJid)?.client).toEqual({ os: 'second' });
    });

    test('who comes back by stream management keeps session and events', async () => {
      const { xmpp, sessions, liveness, open } = await watching(often);
      const entity = createXmppClient({
        service: `xmpp://${server.host}:${server.c2sPort}`,
        domain: server.domain,
        resource: 'resumes',
        username: tweber.name,
        password: tweber.password,
      });
      const got: string[] = [];
      entity.on('error', () => undefined);
      entity.on('stanza', ({ name: kind, attrs }: Element) => {
        if (kind === 'message' && attrs.id !== undefined) got.push(attrs.id);
      });
      const jid = (await entity.start()).toString();
      onTestFinished(() => entity.stop().then(() => undefined));
      await entity.write(`<presence to='${domain}'/>`);
      open(jid);
      const event = (id: string) =>
        xmpp.send(
          `<message to='${jid}' from='${domain}' type='headline' id='${id}'><x xmlns='urn:x'/></message>`,
        );
      event('before');
      await until('the first event arrives', () => got.includes('before'));
      entity.socket?.destroy();
      event('meanwhile');
      liveness.suspect(jid as FullJid);
      await until('it is back, and missed nothing', () => got.includes('meanwhile'), 20);
      event('after');
      await until('events go on', () => got.includes('after'));
      expect(sessions.get(jid as FullJid)).toBeDefined();
      expect(got).toEqual(['before', 'meanwhile', 'after']);
    });

    if (!tellsAll) return;
    test('privileged presence tells of everybody', async () => {
      const privileged = await start({ domain: 'example.test', users: [tweber], component, privilege: true });
      onTestFinished(() => privileged.stop());
      const { sessions, open } = await watching(never, privileged);
      const client = await legacyClient(privileged, tweber);
      open(client.jid);
      await client.appear();
      client.vanish();
      await until('it is ended', () => sessions.size === 0);
    });
  });
}
