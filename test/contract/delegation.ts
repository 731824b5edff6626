/** What holds wherever a server delegates the namespace of commands (XEP-0355). */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { StanzaError } from '../../src/errors.ts';
import { xml } from '../../src/protocol/xml.ts';
import { createComponent } from '../../src/xmpp/component.ts';
import { delegationInfo, serveDelegation } from '../../src/xmpp/delegation.ts';
import { watchDelegation } from '../../src/xmpp/delegation-watch.ts';
import { componentInfo, serveDisco } from '../../src/xmpp/disco.ts';
import { legacyClient } from '../legacy/client.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { keepLog, quick } from '../xmpp/setup.ts';
import { find, type Tree, textIn } from '../xmpp/tree.ts';

const namespace = 'http://www.pascom.net/mobydick';
const domains = new Set(['example.test']);
const component = { jid: 'pbx.example.test', secret: 'secret' };
const tweber = { name: 'tweber', password: 'one' };
const mmeyer = { name: 'mmeyer', password: 'two' };
// The first look comes after the server has had time to ask and to say so; it says so sooner.
const soon = { firstMs: 5000, advertMs: 100, everyMs: 200, timeoutMs: 10_000 };

/** Runs the suite on a server that `start` starts. */
export function delegationContract(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`delegation on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      const users = [tweber, mmeyer];
      server = await start({ domain: 'example.test', users, component, delegate: [namespace] });
    });
    afterAll(() => server?.stop());

    /** A component that answers `echo` with who asked, and refuses `no`. */
    async function connected() {
      const log = keepLog();
      const xmpp = createComponent({
        service: `xmpp://${server.host}:${server.componentPort}`,
        domain: component.jid,
        secret: component.secret,
        log,
        limits: { ...quick, iqMs: 1000 },
      });
      serveDisco(xmpp, {
        info: [componentInfo(xmpp, 'test', () => [namespace]), delegationInfo({ namespace, domains })],
        items: [],
      });
      const seen: string[] = [];
      serveDelegation(xmpp, {
        namespace,
        domains,
        serve(from, payload) {
          seen.push(from.bare);
          const module = payload.attrs.get('module');
          if (module === 'no') throw new StanzaError('bad-request', 'no, because');
          if (module === 'never') return new Promise(() => {});
          const attrs = { xmlns: namespace, module: 'echo', by: from.bare };
          const content = module === 'huge' ? ['x'.repeat(600_000)] : [];
          return { result: xml('cmd', attrs, content) };
        },
      });
      const watch = watchDelegation({ xmpp, namespace, domains, required: true, log, times: soon });
      onTestFinished(async () => {
        watch.stop();
        await xmpp.stop(0);
      });
      await xmpp.start();
      await until('delegation is in force', () => watch.verdicts.get('example.test') === 'in force');
      return { log, seen, xmpp };
    }

    const cmd = (module: string) => `<cmd xmlns="${namespace}" module="${module}"/>`;
    const condition = (answer: Tree) => {
      const error = find(answer, 'error');
      return error?.children.map((node) => (typeof node === 'string' ? node : node.name)).join();
    };

    test('says in one line that it is in force, also after the stream was lost', async () => {
      const { log, xmpp } = await connected();
      const lines = () => log.lines.filter(({ message }) => message.startsWith('delegation is'));
      expect(lines()).toMatchObject([{ level: 'info', fields: { domain: 'example.test' } }]);
      // In order: ejabberd would lose accounts that it has not written to disk yet.
      await server.restart();
      await until('the loss is noticed', () => xmpp.counters.connects > 1 || xmpp.state.status !== 'online');
      await until('it is back', () => xmpp.state.status === 'online', 30);
      const client = await legacyClient(server, tweber);
      await until('it is delegated again', async () => (await client.ask(cmd('a'))).attrs.type === 'result');
      expect(lines()).toHaveLength(1);
    });

    test('answers what is sent to nobody, to the server, and to one’s own account', async () => {
      await connected();
      const client = await legacyClient(server, tweber);
      for (const to of [undefined, 'example.test', 'tweber@example.test']) {
        const answer = await client.ask(cmd('a'), to === undefined ? '' : ` to="${to}"`);
        expect([answer.attrs.type, answer.attrs.from ?? 'tweber@example.test']).toEqual([
          'result',
          to ?? 'tweber@example.test',
        ]);
        expect(find(answer, 'cmd')?.attrs.by).toBe('tweber@example.test');
      }
    });

    test('errors reach the client with condition and text', async () => {
      await connected();
      const client = await legacyClient(server, tweber);
      const refused = await client.ask(cmd('no'));
      expect([refused.attrs.type, condition(refused)]).toEqual(['error', 'bad-request,text']);
      expect(textIn(find(find(refused, 'error'), 'text'))).toBe('no, because');
    });

    test('so do the deadline and an answer that is too large', async () => {
      await connected();
      const client = await legacyClient(server, tweber);
      expect(condition(await client.ask(cmd('never')))).toBe('remote-server-timeout,text');
      expect(condition(await client.ask(cmd('huge')))).toBe('resource-constraint,text');
    });

    test('nobody acts on the account of somebody else', async () => {
      const { seen } = await connected();
      const client = await legacyClient(server, mmeyer);
      const answer = await client.ask(cmd('a'), ' to="tweber@example.test"');
      expect([answer.attrs.type, condition(answer)]).toEqual(['error', 'service-unavailable,text']);
      expect(seen).toEqual([]);
    });

    test('events reach a client that has not sent presence yet', async () => {
      const { xmpp } = await connected();
      const client = await legacyClient(server, tweber);
      xmpp.send(
        `<message to='${client.jid}' from='${component.jid}' type='headline'><cmd xmlns='${namespace}' module='base'><E/></cmd></message>`,
      );
      await until('it arrives', () => client.events().length === 1);
    });
  });

  test(`${name} without delegation: one warning says what to do, and only to who counts on it`, async () => {
    const server = await start({ domain: 'example.test', users: [tweber], component });
    onTestFinished(() => server.stop());
    for (const required of [true, false]) {
      const log = keepLog();
      const service = `xmpp://${server.host}:${server.componentPort}`;
      const xmpp = createComponent({ service, domain: component.jid, secret: component.secret, log });
      const watch = watchDelegation({
        xmpp,
        namespace,
        domains,
        required,
        log,
        times: { ...soon, firstMs: 0 },
      });
      onTestFinished(() => watch.stop());
      await xmpp.start();
      await until('it is found out', () => watch.verdicts.get('example.test') === 'not in force');
      await xmpp.stop(0);
      const lines = log.lines.filter(({ message }) => message.startsWith('delegation is not in force'));
      expect(lines.map(({ level }) => level)).toEqual([required ? 'warn' : 'info']);
    }
  });
}
