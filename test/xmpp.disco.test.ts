import { describe, expect, test } from 'vitest';
import { componentInfo, serveDisco } from '../src/xmpp/disco.ts';
import { servePing } from '../src/xmpp/ping.ts';
import { serveTime } from '../src/xmpp/time.ts';
import { serveVersion } from '../src/xmpp/version.ts';
import { until } from './servers/until.ts';
import { domain, setup } from './xmpp/setup.ts';
import { find, type Tree, textIn } from './xmpp/tree.ts';

const info = 'http://jabber.org/protocol/disco#info';
const items = 'http://jabber.org/protocol/disco#items';

async function asking() {
  const { component, server } = await setup();
  serveDisco(component, {
    info: [
      componentInfo(component, 'offhook', () => ['urn:xmpp:ping', 'http://www.pascom.net/mobydick']),
      ({ to, node }) =>
        to.local === '340' && node === undefined ? { identities: [], features: ['urn:phone'] } : undefined,
      async ({ node }) => (node === 'a < b' ? { identities: [], features: ['urn:of:node'] } : undefined),
    ],
    items: [({ node }) => (node === 'list' ? [{ jid: domain, node: 'one', name: 'One & only' }] : undefined)],
  });
  servePing(component);
  serveVersion(component, { name: 'offhook', version: '1.2.3' });
  serveTime(component, () => new Date(1_700_000_000_123));
  await component.start();
  const connection = await server.online();
  let count = 0;
  /** The answering IQ to a request of that content. */
  return async (content: string, to = domain, type = 'get'): Promise<Tree> => {
    count += 1;
    const id = `q${count}`;
    connection.write(
      `<iq type='${type}' id='${id}' from='tweber@example.test/desk' to='${to}'>${content}</iq>`,
    );
    return until('an answer', () => connection.stanzas.find(({ attrs }) => attrs.id === id));
  };
}

function features(answer: Tree): (string | undefined)[] {
  const children = find(answer, 'query')?.children ?? [];
  return children.flatMap((node) =>
    typeof node !== 'string' && node.name === 'feature' ? [node.attrs.var] : [],
  );
}

function condition(answer: Tree): string | undefined {
  const [first] = find(answer, 'error')?.children ?? [];
  return typeof first === 'string' ? first : first?.name;
}

describe('service discovery', () => {
  test('the component: its identity, its features, no items', async () => {
    const ask = await asking();
    const answer = await ask(`<query xmlns='${info}'/>`);
    expect(answer.attrs.type).toBe('result');
    const query = find(answer, 'query');
    expect(query?.attrs).toEqual({ xmlns: info });
    expect(find(query, 'identity')?.attrs).toEqual({
      category: 'component',
      type: 'generic',
      name: 'offhook',
    });
    expect(features(answer)).toEqual([info, 'urn:xmpp:ping', 'http://www.pascom.net/mobydick']);
    expect(find(await ask(`<query xmlns='${items}'/>`), 'query')?.children).toEqual([]);
  });

  test('nodes and hosted addresses come from the sources; the node is echoed', async () => {
    const ask = await asking();
    const node = await ask(`<query xmlns='${info}' node='a &lt; b'/>`);
    expect(find(node, 'query')?.attrs.node).toBe('a < b');
    expect(features(node)).toContain('urn:of:node');
    expect(features(await ask(`<query xmlns='${info}'/>`, `340@${domain}`))).toContain('urn:phone');
    const list = find(await ask(`<query xmlns='${items}' node='list'/>`), 'query');
    expect(find(list, 'item')?.attrs).toEqual({ jid: domain, node: 'one', name: 'One & only' });
  });

  test('what is not there: a node is not found, an address does not tell', async () => {
    const ask = await asking();
    for (const ns of [info, items]) {
      expect(condition(await ask(`<query xmlns='${ns}' node='other'/>`))).toBe('item-not-found');
      expect(condition(await ask(`<query xmlns='${ns}'/>`, `999@${domain}`))).toBe('service-unavailable');
      expect(condition(await ask(`<query xmlns='${ns}'/>`, domain, 'set'))).toBe('bad-request');
    }
  });
});

test.each([
  ['ping', `<ping xmlns='urn:xmpp:ping'/>`],
  ['version', `<query xmlns='jabber:iq:version'/>`],
  ['time', `<time xmlns='urn:xmpp:time'/>`],
])('%s: only of the component itself, and only to get', async (_, content) => {
  const ask = await asking();
  expect((await ask(content)).attrs.type).toBe('result');
  expect((await ask(content, `${domain}/any`)).attrs.type).toBe('result');
  expect(condition(await ask(content, `340@${domain}`))).toBe('service-unavailable');
  expect(condition(await ask(content, domain, 'set'))).toBe('bad-request');
});

test('ping is answered with nothing, version and time with what they are', async () => {
  const ask = await asking();
  expect((await ask(`<ping xmlns='urn:xmpp:ping'/>`)).children).toEqual([]);
  const version = find(await ask(`<query xmlns='jabber:iq:version'/>`), 'query');
  expect(
    version?.children.map((node) => (typeof node === 'string' ? node : [node.name, textIn(node)])),
  ).toEqual([
    ['name', 'offhook'],
    ['version', '1.2.3'],
  ]);
  const time = find(await ask(`<time xmlns='urn:xmpp:time'/>`), 'time');
  expect(textIn(find(time, 'utc'))).toBe('2023-11-14T22:13:20.123Z');
  expect(textIn(find(time, 'tzo'))).toMatch(/^[+-]\d\d:\d\d$/);
});
