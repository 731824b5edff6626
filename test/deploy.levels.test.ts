import { describe, expect, onTestFinished, test } from 'vitest';
import type { BareJid } from '../src/protocol/jid.ts';
import { elements, xml } from '../src/protocol/xml.ts';
import { createComponent } from '../src/xmpp/component.ts';
import { delegationInfo, serveDelegation } from '../src/xmpp/delegation.ts';
import { watchDelegation } from '../src/xmpp/delegation-watch.ts';
import { serveDisco } from '../src/xmpp/disco.ts';
import { createEjabberdApi } from '../src/xmpp/ejabberd-api.ts';
import { legacyClient } from './legacy/client.ts';
import { ejabberdAt, type Level, levels, prosodyAt } from './packaging/levels.ts';
import { until } from './servers/until.ts';
import type { XmppServer, XmppUser } from './servers/xmpp.ts';
import { keepLog, quick } from './xmpp/setup.ts';
import { find } from './xmpp/tree.ts';

const tweber = { name: 'tweber', password: 'one' };
const namespace = 'http://www.pascom.net/mobydick';
const domains = new Set(['example.org']);
const cmd = `<cmd xmlns="${namespace}" module="base"/>`;

/** What a component gets at a level: of delegation, and of privileges. */
async function levelOf(server: XmppServer) {
  onTestFinished(() => server.stop());
  const connect = (secret: string) => {
    const service = `xmpp://${server.host}:${server.componentPort}`;
    const xmpp = createComponent({
      service,
      domain: server.component.jid,
      secret,
      log: keepLog(),
      limits: quick,
    });
    onTestFinished(() => xmpp.stop(0));
    return xmpp;
  };
  const stranger = connect('another-secret');
  void stranger.start();
  await until('a wrong secret is refused', () =>
    stranger.state.reason.includes('refused the component secret'),
  );
  await stranger.stop(0);

  const xmpp = connect(server.component.secret);
  const privileges: string[] = [];
  xmpp.onMessage(({ element }) => {
    for (const advert of elements(element).filter(({ name }) => name === 'privilege')) {
      for (const { attrs } of elements(advert))
        privileges.push(`${attrs.get('access')}: ${attrs.get('type')}`);
    }
  });
  const answer = { result: xml('cmd', { xmlns: namespace, module: 'done' }) };
  serveDisco(xmpp, { info: [delegationInfo({ namespace, domains })], items: [] });
  serveDelegation(xmpp, { namespace, domains, serve: () => answer });
  xmpp.onIq(namespace, () => answer);
  const times = { firstMs: 300, advertMs: 100, everyMs: 300 };
  const watch = watchDelegation({ xmpp, namespace, domains, required: true, log: keepLog(), times });
  onTestFinished(() => watch.stop());
  await xmpp.start();
  return { xmpp, privileges, watch };
}

const samples: [
  name: string,
  start: (level: Level, users: readonly XmppUser[]) => Promise<XmppServer>,
  levels: readonly Level[],
][] = [
  ['Prosody 0.12', (level, users) => prosodyAt(level, '0.12', users), levels],
  ['Prosody 13', (level, users) => prosodyAt(level, '13', users), levels],
  ['ejabberd 23', (level, users) => ejabberdAt(level, '23', users), levels],
  // COMPAT: its mod_privilege drops what components answer; the sample says so.
  ['ejabberd 24', (level, users) => ejabberdAt(level, '24', users), ['component', 'delegation']],
  ['ejabberd 26', (level, users) => ejabberdAt(level, '26', users), levels],
];

describe.each(samples)('the samples for %s', (_, start, possible) => {
  test.each(possible)('%s', async (level) => {
    const server = await start(level, [tweber]);
    const { xmpp, privileges, watch } = await levelOf(server);
    const client = await legacyClient(server, tweber);
    const direct = await client.ask(cmd, ` to="${server.component.jid}"`);
    expect(find(direct, 'cmd')?.attrs.module).toBe('done');
    const expected = level === 'component' ? 'not in force' : 'in force';
    await until(`delegation is ${expected}`, () => watch.verdicts.get('example.org') === expected, 20);
    expect((await client.ask(cmd)).attrs.type).toBe(level === 'component' ? 'error' : 'result');

    const roster = xmpp.request(
      'tweber@example.org',
      'get',
      xml('query', { xmlns: 'jabber:iq:roster' }),
      10_000,
    );
    if (level === 'privileges') {
      const items = elements(await roster).map(({ name, ns }) => `${name} ${ns}`);
      expect(items).toEqual(['query jabber:iq:roster']);
      const all = ['message: outgoing', 'presence: managed_entity', 'roster: both'];
      await until('the server says what it grants', () => all.every((each) => privileges.includes(each)));
    } else {
      await expect(roster).rejects.toThrow();
      expect(privileges).toEqual([]);
    }
  });
});

test.each(['23', '26'] as const)(
  'the sample for ejabberd %s lets the bridge use its API',
  async (version) => {
    const server = await ejabberdAt('privileges', version, [tweber]);
    onTestFinished(() => server.stop());
    const api = createEjabberdApi({ url: server.apiUrl, token: undefined, timeoutMs: 10_000 });
    const user = 'tweber@example.org' as BareJid;
    const item = {
      jid: '370@pbx.example.org' as BareJid,
      name: 'Max Meyer',
      subscription: 'to',
      groups: ['Sales'],
    } as const;
    await api.write(user, item);
    expect(await api.read(user)).toEqual([item]);
    const { jid } = await legacyClient(server, tweber);
    expect((await api.connected('example.org')).map(({ bare, resource }) => `${bare}/${resource}`)).toEqual([
      jid,
    ]);
  },
);
