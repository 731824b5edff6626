import { describe, expect, test } from 'vitest';
import { StanzaError } from '../src/errors.ts';
import { child, textOf, xml } from '../src/protocol/xml.ts';
import type { ComponentOptions } from '../src/xmpp/component.ts';
import type { IqRequest } from '../src/xmpp/xmpp.ts';
import { until } from './servers/until.ts';
import { domain, setup } from './xmpp/setup.ts';
import { find, type Tree, textIn } from './xmpp/tree.ts';

const ns = 'urn:example:test';
const sender = 'tweber@example.test/desk ü';

/** A connected component, and a way to ask it as the server would. */
async function online(options: Partial<ComponentOptions> = {}) {
  const made = await setup(options);
  await made.component.start();
  const connection = await made.server.online();
  const iq = (id: string, inner: string, attrs = `type='get'`) =>
    connection.write(`<iq from='${sender}' to='${domain}' id='${id}' ${attrs}>${inner}</iq>`);
  const answersTo = (id: string) =>
    connection.stanzas.filter(({ name, attrs }) => name === 'iq' && attrs.id === id);
  const answer = (id: string): Promise<Tree> => until(`an answer to ${id}`, () => answersTo(id)[0]);
  return { ...made, connection, iq, answer, answersTo };
}

function condition(answer: Tree): string[] {
  const error = find(answer, 'error');
  const names = (error?.children ?? []).filter((node): node is Tree => typeof node !== 'string');
  return [answer.attrs.type ?? '', error?.attrs.type ?? '', names[0]?.name ?? ''];
}

describe('IQs to us', () => {
  test('get and set reach the handler of the namespace; the answer goes back with id and addresses swapped', async () => {
    const { component, iq, answer, connection } = await online();
    const seen: IqRequest[] = [];
    component.onIq(ns, (request) => {
      seen.push(request);
      return { result: xml('answer', { xmlns: ns, of: request.payload.name }, ['ü < 😀 \u0001']) };
    });
    iq('a1', `<ask xmlns='${ns}' x='1'> <sub/> </ask>`);
    iq('a2', `<p:other xmlns:p='${ns}'/>`, `type='set'`);
    const first = await answer('a1');
    expect(first.attrs).toEqual({ type: 'result', id: 'a1', from: domain, to: sender });
    expect(find(first, 'answer')?.attrs).toEqual({ xmlns: ns, of: 'ask' });
    expect(textIn(find(first, 'answer'))).toBe('ü < 😀 \uFFFD');
    expect(find(await answer('a2'), 'answer')?.attrs.of).toBe('other');
    expect(
      seen.map(({ type, id, from, to, payload }) => [type, id, from.resource, to.bare, payload.ns]),
    ).toEqual([
      ['get', 'a1', 'desk ü', domain, ns],
      ['set', 'a2', 'desk ü', domain, ns],
    ]);
    connection.write(
      `<iq from='${sender}' to='340@${domain}/phone' id='a3' type='get'><ask xmlns='${ns}'/></iq>`,
    );
    expect((await answer('a3')).attrs.from).toBe(`340@${domain}/phone`);
  });

  test('an element name has a handler of its own; a second handler for the same is a mistake', async () => {
    const { component, iq, answer } = await online();
    component.onIq(ns, () => ({ result: xml('any') }));
    component.onIq(ns, () => ({ result: xml('special') }), 'constructor');
    iq('n1', `<constructor xmlns='${ns}'/>`);
    iq('n2', `<toString xmlns='${ns}'/>`);
    expect(find(await answer('n1'), 'special')).toBeDefined();
    expect(find(await answer('n2'), 'any')).toBeDefined();
    expect(() => component.onIq(ns, () => ({ result: undefined }))).toThrow(/second handler/);
  });

  test.each([
    [
      'unknown namespace',
      `<x xmlns='urn:nobody'/>`,
      `type='get'`,
      ['error', 'cancel', 'service-unavailable'],
    ],
    ['no namespace', '<x/>', `type='get'`, ['error', 'cancel', 'service-unavailable']],
    ['no child', '', `type='get'`, ['error', 'modify', 'bad-request']],
    ['only text', 'hello', `type='set'`, ['error', 'modify', 'bad-request']],
    [
      'two children',
      `<a xmlns='${ns}'/><b xmlns='${ns}'/>`,
      `type='set'`,
      ['error', 'modify', 'bad-request'],
    ],
    ['unknown type', `<a xmlns='${ns}'/>`, `type='put'`, ['error', 'modify', 'bad-request']],
    ['no type', `<a xmlns='${ns}'/>`, '', ['error', 'modify', 'bad-request']],
    ['too deep', '<a>'.repeat(80) + '</a>'.repeat(80), `type='get'`, ['error', 'modify', 'bad-request']],
  ])('%s: refused, once', async (_, inner, attrs, expected) => {
    const { component, iq, answer, answersTo } = await online();
    component.onIq(ns, () => ({ result: undefined }));
    iq('m1', inner, attrs);
    expect(condition(await answer('m1'))).toEqual(expected);
    iq('m2', `<a xmlns='${ns}'/>`);
    await answer('m2');
    expect(answersTo('m1')).toHaveLength(1);
  });

  test('without id: bad-request; without sender: nobody to answer', async () => {
    const { component, connection, iq, answer } = await online();
    component.onIq(ns, () => ({ result: undefined }));
    connection.write(`<iq from='${sender}' to='${domain}' type='get'><a xmlns='${ns}'/></iq>`);
    connection.write(`<iq to='${domain}' id='w1' type='get'><a xmlns='${ns}'/></iq>`);
    iq('w2', `<a xmlns='${ns}'/>`);
    await answer('w2');
    expect(connection.stanzas.map((stanza) => [stanza.attrs.id, stanza.attrs.type])).toEqual([
      [undefined, 'error'],
      ['w2', 'result'],
    ]);
  });

  test('results and errors are never answered', async () => {
    const { component, connection, iq, answer } = await online();
    component.onIq(ns, () => ({ result: undefined }));
    for (const type of ['result', 'error']) {
      iq('r1', `<a xmlns='${ns}'/>`, `type='${type}'`);
      iq('r2', '<a>'.repeat(80) + '</a>'.repeat(80), `type='${type}'`);
    }
    iq('last', `<a xmlns='${ns}'/>`);
    await answer('last');
    expect(connection.stanzas).toHaveLength(1);
  });

  test('a handler that throws: what is meant for the caller goes out, a defect becomes a reference that is in the log', async () => {
    const { component, iq, answer, log } = await online();
    component.onIq(ns, () => Promise.reject(new StanzaError('not-allowed', 'no, not you')), 'refuse');
    component.onIq(ns, () => Promise.reject(new Error('password=hunter2')), 'reject');
    component.onIq(
      ns,
      () => {
        throw new TypeError('x is undefined');
      },
      'throw',
    );
    for (const name of ['refuse', 'reject', 'throw']) iq(name, `<${name} xmlns='${ns}'/>`);
    const refused = await answer('refuse');
    expect(condition(refused)).toEqual(['error', 'cancel', 'not-allowed']);
    expect(textIn(find(find(refused, 'error'), 'text'))).toBe('no, not you');
    for (const name of ['reject', 'throw']) {
      const failed = await answer(name);
      expect(condition(failed)).toEqual(['error', 'cancel', 'internal-server-error']);
      const text = textIn(find(find(failed, 'error'), 'text'));
      const reference = /reference ([0-9a-f]{8})$/.exec(text)?.[1];
      expect(log.lines.filter(({ fields }) => fields.reference === reference)).toHaveLength(1);
      expect(text).not.toContain('hunter2');
    }
  });

  test('an answer that cannot be written is a defect like others', async () => {
    const { component, iq, answer } = await online();
    // What the types forbid, and plain JavaScript does all the same.
    const nothing = JSON.parse('{}');
    component.onIq(ns, () => nothing.missing, 'sync');
    component.onIq(ns, () => Promise.resolve({ result: nothing }), 'async');
    for (const name of ['sync', 'async']) {
      iq(name, `<${name} xmlns='${ns}'/>`);
      expect(condition(await answer(name))).toEqual(['error', 'cancel', 'internal-server-error']);
    }
  });

  test('a handler that never answers: an error at the deadline, and nothing when it answers later', async () => {
    const { component, iq, answer, answersTo, log } = await online({ limits: { iqMs: 50 } });
    let late = (_: { result: undefined }) => {};
    component.onIq(
      ns,
      () =>
        new Promise((resolve) => {
          late = resolve;
        }),
      'late',
    );
    component.onIq(ns, () => ({ result: undefined }), 'soon');
    iq('l1', `<late xmlns='${ns}'/>`);
    const failed = await answer('l1');
    expect(condition(failed)).toEqual(['error', 'wait', 'remote-server-timeout']);
    const reference = /reference ([0-9a-f]{8})/.exec(textIn(find(find(failed, 'error'), 'text')))?.[1];
    expect(log.lines.some(({ fields }) => fields.reference === reference)).toBe(true);
    late({ result: undefined });
    iq('l2', `<soon xmlns='${ns}'/>`);
    await answer('l2');
    expect(answersTo('l1')).toHaveLength(1);
    expect(component.counters.openIqs).toBe(0);
  });

  test('an answer that the server would end the stream for becomes an error', async () => {
    const { component, iq, answer } = await online({ limits: { stanzaBytes: 5000 } });
    component.onIq(ns, () => ({ result: xml('big', {}, ['x'.repeat(6000)]) }));
    iq('b1', `<a xmlns='${ns}'/>`);
    expect(condition(await answer('b1'))).toEqual(['error', 'modify', 'resource-constraint']);
  });

  test('no more than the limit are in the making', async () => {
    const { component, iq, answer } = await online({ limits: { maxOpenIqs: 2 } });
    component.onIq(ns, () => new Promise(() => {}));
    for (const id of ['o1', 'o2', 'o3']) iq(id, `<a xmlns='${ns}'/>`);
    expect(condition(await answer('o3'))).toEqual(['error', 'wait', 'resource-constraint']);
  });

  test('an answer overtakes waiting events, and has room when they have none', async () => {
    const { component, connection, iq, answer } = await online({ limits: { eventBytes: 2_000_000 } });
    component.onIq(ns, () => ({ result: undefined }));
    connection.pause();
    const event = `<message to='a@example.test/x' from='${domain}'><body>${'x'.repeat(1000)}</body></message>`;
    let taken = 0;
    await until('no event has room', () => {
      let now = 0;
      while (component.send(event)) now += 1;
      taken += now;
      return now === 0;
    });
    iq('f1', `<a xmlns='${ns}'/>`);
    await until('it is answered', () => component.counters.received > 0 && component.counters.openIqs === 0);
    connection.resume();
    await answer('f1');
    const place = connection.stanzas.findIndex(({ attrs }) => attrs.id === 'f1');
    await until(
      'all events arrive',
      () => connection.stanzas.filter(({ name }) => name === 'message').length === taken,
    );
    // Only what was on its way comes before it.
    expect(place).toBeLessThan(500);
  });

  test('an IQ of the former stream is answered on the next one', async () => {
    const { component, server, connection, iq, states } = await online();
    let finish = (_: { result: undefined }) => {};
    component.onIq(
      ns,
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    iq('k1', `<a xmlns='${ns}'/>`);
    await until('it is in the making', () => component.counters.openIqs === 1);
    connection.destroy();
    await until('the loss is noticed', () => states.some(({ reason }) => reason !== ''));
    finish({ result: undefined });
    const next = await until('it is back', () => server.connections[1]);
    await until('it is answered', () => next.stanzas.some(({ attrs }) => attrs.id === 'k1'));
  });

  test('stop: what is in the making is answered, new ones are told to wait', async () => {
    const { component, connection, iq, answer, answersTo } = await online();
    let finish = (_: { result: undefined }) => {};
    component.onIq(
      ns,
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    iq('s1', `<a xmlns='${ns}'/>`);
    await until('it is in the making', () => component.counters.openIqs === 1);
    const stopped = component.stop(20_000);
    iq('s2', `<a xmlns='${ns}'/>`);
    expect(condition(await answer('s2'))).toEqual(['error', 'wait', 'service-unavailable']);
    finish({ result: undefined });
    await stopped;
    await until('the stream is closed', () => connection.ended);
    expect(answersTo('s1').map(({ attrs }) => attrs.type)).toEqual(['result']);
  });

  test('stop: who takes longer than the grace gets an error', async () => {
    const { component, connection, iq, answersTo } = await online();
    component.onIq(ns, () => new Promise(() => {}));
    iq('g1', `<a xmlns='${ns}'/>`);
    await until('it is in the making', () => component.counters.openIqs === 1);
    await component.stop(30);
    await until('the stream is closed', () => connection.ended);
    expect(answersTo('g1').map(condition)).toEqual([['error', 'wait', 'service-unavailable']]);
  });
});

describe('IQs of ours', () => {
  const ask = xml('ask', { xmlns: ns });

  test('the answer is matched by id and sender, whatever the case of the domain', async () => {
    const { component, connection } = await online();
    const asked = component.request('Example.test', 'get', ask, 20_000);
    const sent = await until('it was sent', () => connection.stanzas[0]);
    expect(sent.attrs).toMatchObject({ type: 'get', from: domain, to: 'Example.test' });
    const id = sent.attrs.id;
    const result = (from: string, text: string) =>
      connection.write(
        `<iq type='result' id='${id}' from='${from}' to='${domain}'><got xmlns='${ns}'>${text}</got></iq>`,
      );
    result('evil.test', 'forged');
    result('example.test/x', 'forged');
    result('evil@example.test', 'forged');
    result('example.test', 'true');
    result('example.test', 'twice');
    const got = child(await asked, 'got');
    expect(got === undefined ? undefined : textOf(got)).toBe('true');
  });

  test('an error answer rejects with its condition, type and text', async () => {
    const { component, connection } = await online();
    const asked = component.request('a@example.test/x', 'set', ask, 20_000);
    const caught = asked.catch((error: unknown) => error);
    const sent = await until('it was sent', () => connection.stanzas[0]);
    const stanzas = 'urn:ietf:params:xml:ns:xmpp-stanzas';
    connection.write(
      `<iq type='error' id='${sent.attrs.id}' from='a@example.test/x' to='${domain}'><ask xmlns='${ns}'/><error type='wait'><recipient-unavailable xmlns='${stanzas}'/><text xmlns='${stanzas}'>away ü</text></error></iq>`,
    );
    expect(await caught).toMatchObject({
      condition: 'recipient-unavailable',
      type: 'wait',
      message: 'away ü',
    });
    expect(await caught).toBeInstanceOf(StanzaError);
  });

  test('no answer, no connection, a connection that ends, too many: each rejects, and nothing stays behind', async () => {
    const { component, connection, server } = await setup({ limits: { maxRequests: 2 } }).then(
      async (made) => {
        const early = made.component.request('a.test', 'get', ask, 20_000);
        await expect(early).rejects.toMatchObject({ condition: 'remote-server-timeout' });
        await made.component.start();
        return { ...made, connection: await made.server.online() };
      },
    );
    await expect(component.request('a.test', 'get', ask, 30)).rejects.toMatchObject({
      condition: 'remote-server-timeout',
    });
    const waiting = [
      component.request('a.test', 'get', ask, 20_000),
      component.request('b.test', 'get', ask, 20_000),
    ];
    await expect(component.request('c.test', 'get', ask, 20_000)).rejects.toMatchObject({
      condition: 'resource-constraint',
    });
    const failed = Promise.allSettled(waiting);
    connection.destroy();
    for (const outcome of await failed) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { condition: 'remote-server-timeout' } });
    }
    expect(component.counters.openRequests).toBe(0);
    await until('it is back', () => server.connections.length === 2 && component.state.status === 'online');
  });
});
