import { describe, expect, it } from 'vitest';
import type { XmlElement } from '../src/protocol/xml.ts';
import { xml } from '../src/protocol/xml.ts';
import { delegationInfo, serveDelegation } from '../src/xmpp/delegation.ts';
import { serveDisco } from '../src/xmpp/disco.ts';
import { until } from './servers/until.ts';
import { domain, setup } from './xmpp/setup.ts';
import { find, type Tree, textIn } from './xmpp/tree.ts';

const namespace = 'urn:example:cmd';
const domains = new Set(['example.test', 'branch.test']);
const user = 'tweber@example.test/agsXMPP';
const content = `<cmd xmlns='${namespace}' module='base'><Dial target='&lt;340&gt;'/></cmd>`;

/** A component over the small server; `tell` sends a stanza with an id and resolves with its answer. */
async function serving(
  options: Parameters<typeof setup>[0] = {},
  instead?: () => Promise<{ result: XmlElement }>,
) {
  const { component, server } = await setup(options);
  const served: { from: string; payload: XmlElement }[] = [];
  serveDisco(component, { info: [delegationInfo({ namespace, domains }, 0)], items: [] });
  serveDelegation(component, {
    namespace,
    domains,
    serve(from, payload) {
      served.push({ from: `${from.bare}/${from.resource}`, payload });
      if (instead !== undefined) return instead();
      return { result: xml('cmd', { xmlns: namespace, text: 'ü <&>' }) };
    },
  });
  await component.start();
  const connection = await server.online();
  let count = 0;
  const tell = (payload: string, attributes: string) => {
    count += 1;
    const id = `t${count}`;
    connection.write(`<iq id='${id}' ${attributes}>${payload}</iq>`);
    return until('an answer', () => connection.stanzas.find(({ attrs }) => attrs.id === id));
  };
  /** Delegates an IQ of these attributes and content; `outer` may change the frame's. */
  const delegate = (inner: string, payload = content, outer = {}, version = 2) => {
    const frame = { type: 'set', from: 'example.test', to: domain, ...outer };
    const attributes = Object.entries(frame).map(([key, value]) => `${key}='${value}'`);
    return tell(
      `<delegation xmlns='urn:xmpp:delegation:${version}'><forwarded xmlns='urn:xmpp:forward:0'>` +
        `<iq xmlns='jabber:client' id='a1' ${inner}>${payload}</iq></forwarded></delegation>`,
      attributes.join(' '),
    );
  };
  return { component, served, tell, delegate };
}

const inside = (answer: Tree) => find(find(find(answer, 'delegation'), 'forwarded'), 'iq');
const condition = (iq: Tree | undefined) => {
  const [found] = find(iq, 'error')?.children ?? [];
  return typeof found === 'string' ? found : found?.name;
};

describe('a delegated IQ', () => {
  it.each([
    [1, '', 'tweber@example.test'],
    [2, '', 'tweber@example.test'],
    [1, "to='tweber@example.test'", 'tweber@example.test'],
    [2, "to='example.test'", 'example.test'],
    [2, "to='Tweber@Example.test' xml:lang='en'", 'Tweber@Example.test'],
  ])('of version %i with %s is served, and answered inside', async (version, to, answerer) => {
    const { served, delegate } = await serving();
    const answer = await delegate(`type='get' from='${user}' ${to}`, content, {}, version);
    expect(answer.attrs).toMatchObject({ type: 'result', from: domain, to: 'example.test' });
    expect(find(answer, 'delegation')?.attrs.xmlns).toBe(`urn:xmpp:delegation:${version}`);
    // Prosody drops an answer with more in its frame than one element.
    expect(find(answer, 'delegation')?.children).toHaveLength(1);
    expect(inside(answer)).toEqual({
      name: 'iq',
      attrs: { xmlns: 'jabber:client', from: answerer, to: user, id: 'a1', type: 'result' },
      children: [{ name: 'cmd', attrs: { xmlns: namespace, text: 'ü <&>' }, children: [] }],
    });
    expect(served).toMatchObject([{ from: user, payload: { name: 'cmd', ns: namespace } }]);
  });

  it.each([
    ['a stranger', `type='set' from='evil@other.test/x' to='tweber@example.test'`, 'forbidden'],
    ['a user of another of our domains', `type='set' from='mmeyer@branch.test/x'`, 'forbidden'],
    ['the server itself', `type='set' from='example.test'`, 'forbidden'],
    ['nobody', `type='set'`, 'forbidden'],
    ['one to another account', `type='set' from='${user}' to='mmeyer@example.test'`, 'service-unavailable'],
    ['one to a resource', `type='set' from='${user}' to='${user}'`, 'service-unavailable'],
    ['one to another domain', `type='set' from='${user}' to='branch.test'`, 'service-unavailable'],
    ['one of type result', `type='result' from='${user}'`, 'bad-request'],
  ])('of %s is refused inside', async (_, inner, expected) => {
    const { served, delegate } = await serving();
    const answer = await delegate(inner);
    expect([answer.attrs.type, condition(inside(answer))]).toEqual(['result', expected]);
    expect(served).toEqual([]);
  });

  it('with another namespace, or with more than one payload, is refused inside', async () => {
    const { served, delegate } = await serving();
    const attributes = `type='set' from='${user}'`;
    const other = await delegate(attributes, "<query xmlns='jabber:iq:private'/>");
    expect(condition(inside(other))).toBe('service-unavailable');
    expect(condition(inside(await delegate(attributes, content + content)))).toBe('bad-request');
    expect(condition(inside(await delegate(attributes, '')))).toBe('bad-request');
    expect(served).toEqual([]);
  });

  it('that comes while too many are in the making, or when the bridge stops, is refused inside', async () => {
    const busy = await serving({ limits: { maxOpenIqs: 0 } });
    const answer = await busy.delegate(`type='get' from='${user}'`);
    expect([answer.attrs.type, condition(inside(answer))]).toEqual(['result', 'resource-constraint']);

    const { component, delegate } = await serving({}, () => new Promise(() => {}));
    const unanswered = delegate(`type='get' from='${user}'`);
    await until('it is in the making', () => component.counters.openIqs === 1);
    await component.stop(0);
    expect(condition(inside(await unanswered))).toBe('service-unavailable');
  });

  it('white space around the payload does not matter', async () => {
    const { delegate } = await serving();
    const answer = await delegate(`type='set' from='${user}'`, `\n  ${content}\n`);
    expect(inside(answer)?.attrs.type).toBe('result');
  });

  it.each([
    ['a user', 'tweber@example.test/x'],
    ['a foreign server', 'other.test'],
    ['a resource of the server', 'example.test/x'],
  ])('that %s forwards is a forgery, answered outside', async (_, from) => {
    const { served, delegate } = await serving();
    const answer = await delegate(`type='set' from='${user}'`, content, { from });
    expect([answer.attrs.type, condition(answer)]).toEqual(['error', 'forbidden']);
    expect(served).toEqual([]);
  });

  it('to an address that is not the component is refused', async () => {
    const { served, delegate } = await serving();
    const answer = await delegate(`type='set' from='${user}'`, content, { to: `340@${domain}` });
    expect(condition(inside(answer))).toBe('forbidden');
    expect(served).toEqual([]);
  });

  it.each([
    '',
    "<forwarded xmlns='urn:xmpp:forward:0'/>",
    "<forwarded xmlns='urn:other'><iq xmlns='jabber:client'/></forwarded>",
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded>",
    "<forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'/><iq xmlns='jabber:client'/></forwarded>",
  ])('in a malformed frame is a bad request: %s', async (frame) => {
    const { tell } = await serving();
    const attributes = `type='set' from='example.test' to='${domain}'`;
    const answer = await tell(`<delegation xmlns='urn:xmpp:delegation:2'>${frame}</delegation>`, attributes);
    expect(condition(answer)).toBe('bad-request');
  });
});

describe('service discovery of delegation', () => {
  const ask = async (node: string, from = 'example.test') => {
    const { tell } = await serving();
    return tell(
      `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`,
      `type='get' from='${from}' to='${domain}'`,
    );
  };

  it.each(['1::', '1:bare:', '2::', '2:bare:'])('answers the node %s…', async (part) => {
    const node = `urn:xmpp:delegation:${part}${namespace}`;
    const query = find(await ask(node), 'query');
    expect(query?.attrs.node).toBe(node);
    const features = query?.children.map((child) => (typeof child === 'string' ? child : child.attrs.var));
    expect(features).toContain(namespace);
  });

  it('knows no other namespace, and no other askers', async () => {
    expect(condition(await ask('urn:xmpp:delegation:2::urn:other'))).toBe('item-not-found');
    const node = `urn:xmpp:delegation:2::${namespace}`;
    expect(condition(await ask(node, 'other.test'))).toBe('item-not-found');
    expect(condition(await ask(node, user))).toBe('item-not-found');
    expect(textIn(await ask(node))).toBe('');
  });
});
