import { readFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { xml } from '../src/protocol/xml.ts';
import { type ComponentOptions, createComponent } from '../src/xmpp/component.ts';
import type { Stanza } from '../src/xmpp/xmpp.ts';
import { authority, certificate } from './servers/certificate.ts';
import { runFolder } from './servers/folders.ts';
import { freePort } from './servers/ports.ts';
import { until } from './servers/until.ts';
import type { Accepted, AcceptOptions } from './xmpp/accept-server.ts';
import { domain, keepLog, quick, secret, setup } from './xmpp/setup.ts';
import { find, textIn } from './xmpp/tree.ts';

const headline = (text: string) =>
  `<message from='server.test' to='${domain}' type='headline'><body>${text}</body></message>`;

/** What came of ours, questions of the component to itself left out. */
const messages = ({ stanzas }: Accepted) => stanzas.filter(({ name }) => name === 'message');

/** What a server has for TLS, and whom its clients trust then. */
async function serverTls() {
  const folder = await runFolder('tls');
  onTestFinished(() => folder.remove());
  const issuer = await authority(folder.path);
  const signed = await certificate(issuer, 'server', ['127.0.0.1']);
  const tls = { cert: await readFile(signed.cert, 'utf8'), key: await readFile(signed.key, 'utf8') };
  return { ca: issuer.pem, tls };
}

describe('connecting', () => {
  test('the handshake succeeds, with a secret beyond ASCII, and start resolves', async () => {
    const { server, component, states } = await setup();
    expect(component.state).toEqual({ status: 'offline', reason: '' });
    await component.start();
    expect(component.state).toEqual({ status: 'online', reason: '' });
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'online']);
    expect(server.connections).toHaveLength(1);
  });

  test('stanzas in the same segment as the accepted handshake are not lost', async () => {
    const { server, component } = await setup();
    const bodies: string[] = [];
    component.onMessage(({ element }) => bodies.push(element.attrs.get('type') ?? ''));
    server.behave({ withHandshake: headline('1') + headline('2') });
    await component.start();
    await until('both messages arrive', () => bodies.length === 2);
  });

  test('nothing listens: says so, tries again, succeeds once somebody does', async () => {
    const port = await freePort();
    const component = createComponent({
      service: `xmpp://127.0.0.1:${port}`,
      domain,
      secret,
      log: keepLog(),
      limits: quick,
    });
    onTestFinished(() => component.stop(0));
    void component.start();
    await until('a reason is given', () => component.state.reason !== '');
    expect(component.state.status).toBe('connecting');
    expect(component.state.reason).toMatch(/nothing listens at 127\.0\.0\.1:\d+/);
  });

  test.each([
    { behavior: 'mute', says: /opens no stream: is it the component port/ },
    { behavior: 'undecided', says: /does not answer the handshake/ },
  ] as const)(
    'a server that accepts TCP but is $behavior is given up, and tried again',
    async ({ behavior, says }) => {
      const { server, component } = await setup({ limits: { openMs: 150 } });
      server.behave(behavior);
      void component.start();
      await until('it gave up twice', () => server.connections.filter(({ closed }) => closed).length >= 2);
      expect(component.state.reason).toMatch(says);
      server.behave('serve');
      await component.start();
    },
  );

  test('a wrong secret: the reason says what to compare, without the secret; goes on trying; recovers', async () => {
    const { server, component, log } = await setup({ secret: 'wrong-one' });
    void component.start();
    await until('it was refused twice', () => server.connections.filter(({ closed }) => closed).length >= 2);
    expect(component.state.reason).toMatch(/compare XMPP_SECRET with component_secret .* ejabberd_service/);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(JSON.stringify([log.lines, component.state])).not.toContain('wrong-one');
  });

  test('a conflict names the other process, and waits longer than for a server that is away', async () => {
    const { server, component, log } = await setup({
      random: () => 1,
      limits: { reconnectMinMs: 1, refusedMinMs: 77 },
    });
    server.behave({ condition: 'conflict', text: 'Component already connected' });
    void component.start();
    await until('a reason is given', () => component.state.reason !== '');
    expect(component.state.reason).toMatch(
      /another process is connected as pbx\.example\.test.*Component already connected/,
    );
    expect(log.lines.find(({ level }) => level === 'error')?.fields.waitMs).toBe(77);
  });

  test('see-other-host is not followed', async () => {
    const { server, component } = await setup();
    const trap = await setup();
    server.behave({ condition: 'see-other-host', content: `127.0.0.1:${trap.server.port}` });
    void component.start();
    await until('it tried twice', () => server.connections.length >= 2);
    expect(trap.server.connections).toHaveLength(0);
  });

  test.each([
    [
      'an empty stream error',
      '<stream:stream xmlns="jabber:component:accept" xmlns:stream="http://etherx.jabber.org/streams" id="1"><stream:error/>',
    ],
    ['tags that do not match', '<a><b></c></d></e>'],
    ['an undeclared entity', '<stream:stream id="1"><a>&nope;</a><b>&nope;</b>'],
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n<html><p>no</html>'],
    ['a stanza first', '<stream:stream id="1"><iq type="get"/>'],
  ])('%s in place of a handshake ends the attempt, never the process', async (_, garbage) => {
    const { server, component } = await setup({ limits: { openMs: 500 } });
    server.behave({ garbage });
    void component.start();
    await until('it tried twice', () => server.connections.length >= 2);
    server.behave('serve');
    await component.start();
  });

  test('addresses that are none are refused at once, with words', () => {
    const log = keepLog();
    expect(() => createComponent({ service: 'localhost:5347', domain, secret, log })).toThrow(
      /xmpp:\/\/host:port/,
    );
    expect(() => createComponent({ service: 'http://localhost', domain, secret, log })).toThrow(TypeError);
    expect(() => createComponent({ service: 'xmpp://localhost', domain: 'a@b', secret, log })).toThrow(
      /is no domain/,
    );
  });
});

describe('staying connected', () => {
  test('a cut connection comes back by itself', async () => {
    const { server, component, states } = await setup();
    await component.start();
    (await server.online()).destroy();
    await until('it is back', () => server.connections.length === 2 && component.state.status === 'online');
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'online', 'connecting', 'online']);
    expect(component.counters.connects).toBe(2);
  });

  test('the server says goodbye: comes back', async () => {
    const { server, component } = await setup();
    await component.start();
    (await server.online()).write('</stream:stream>');
    await until('it is back', () => server.connections.length === 2 && component.state.status === 'online');
  });

  test('taken over by another process in mid-stream: says so', async () => {
    const { server, component, states } = await setup();
    await component.start();
    const ns = 'urn:ietf:params:xml:ns:xmpp-streams';
    (await server.online()).write(
      `<stream:error><conflict xmlns='${ns}'/><text xmlns='${ns}'>Replaced by a new connection</text></stream:error></stream:stream>`,
    );
    await until('it is back', () => component.counters.connects === 2);
    expect(states.map(({ reason }) => reason).join()).toMatch(
      /another process.*Replaced by a new connection/,
    );
  });

  test('pings go through the server; while they come back nothing happens', async () => {
    const { server, component } = await setup({ limits: { pingEveryMs: 10 } });
    await component.start();
    const connection = await server.online();
    await until(
      'five pings came',
      () => connection.stanzas.filter((stanza) => find(stanza, 'ping')).length >= 5,
    );
    expect(server.connections).toHaveLength(1);
    expect(component.state.status).toBe('online');
  });

  test('a half-open connection is noticed and replaced', async () => {
    const { server, component, states } = await setup({ limits: { pingEveryMs: 30, pingTimeoutMs: 100 } });
    await component.start();
    (await server.online()).freeze();
    await until('it is back', () => component.counters.connects === 2);
    expect(states.map(({ reason }) => reason).join()).toMatch(/silent: no answer to a ping/);
  });

  test('a server that talks but no longer reads is noticed and replaced', async () => {
    const { server, component, states } = await setup({ limits: { pingEveryMs: 30, pingTimeoutMs: 200 } });
    await component.start();
    const connection = await server.online();
    connection.pause();
    // More than the kernel's buffers of both ends hold.
    const large = headline('x'.repeat(100_000));
    while (component.send(large));
    const talk = setInterval(() => connection.write(headline('still here')), 20);
    onTestFinished(() => clearInterval(talk));
    await until('it is back', () => component.counters.connects === 2);
    expect(states.map(({ reason }) => reason).join()).toMatch(/no longer reads/);
  });
});

describe('giving up a silent server', () => {
  const impatient = { pingEveryMs: 30, pingTimeoutMs: 100, catchUpMs: 50 };
  const iq = (id: string) =>
    `<iq type='get' id='${id}' from='anna@server.test/desk' to='${domain}'><query xmlns='urn:test'/></iq>`;
  const answersIn = ({ stanzas }: Accepted) =>
    stanzas.filter(({ name, attrs }) => name === 'iq' && attrs.to === 'anna@server.test/desk');

  /** One that was held up until it was given up. */
  async function givenUp(
    options: Partial<ComponentOptions> = {},
    serverOptions: Partial<AcceptOptions> = {},
  ) {
    const made = await setup({ ...options, limits: { ...impatient, ...options.limits } }, serverOptions);
    const { component, server, states } = made;
    component.onIq('urn:test', () => ({ result: undefined }));
    await component.start();
    const old = await server.online();
    old.pause();
    component.send(headline('unread'));
    const isGivenUp = () => states.some(({ reason }) => /silent/.test(reason));
    return { ...made, old, isGivenUp };
  }

  test.each([
    ['plain', async () => ({})],
    ['with TLS', serverTls],
  ])(
    '%s, it may go on: it reads what it was told before it hears more, and what it asks there is answered on the next stream',
    async (_, make) => {
      const { ca, tls }: { ca?: string; tls?: AcceptOptions['tls'] } = await make();
      const { component, server, old, isGivenUp } = await givenUp(
        { limits: { catchUpMs: 60_000 }, ca },
        tls && { tls },
      );
      await until('it is given up', isGivenUp);
      old.write(iq('q1'));
      await until('there is a next stream', () => component.counters.connects === 2);
      const next = await server.online();
      old.write(iq('q2'));
      await until(
        'both questions came',
        () => component.counters.buffered > 0 && component.counters.received >= 2,
      );
      expect(component.state.status).toBe('connecting');
      expect(next.stanzas).toEqual([]);
      old.resume();
      await until('both are answered', () => answersIn(next).length === 2);
      expect(messages(old).map((message) => textIn(find(message, 'body')))).toEqual(['unread']);
      expect(answersIn(next).map(({ attrs }) => attrs.id)).toEqual(['q1', 'q2']);
      expect(answersIn(old)).toEqual([]);
      expect([old.ended, old.closed]).toEqual([true, true]);
      expect(component.state.status).toBe('online');
    },
  );

  test('who asked meanwhile is answered also where the component stops before it may say more', async () => {
    const { component, server, old, isGivenUp } = await givenUp({ limits: { catchUpMs: 60_000 } });
    await until('it is given up', isGivenUp);
    await until('there is a next stream', () => component.counters.connects === 2);
    const next = await server.online();
    old.write(iq('q1'));
    await until('a question came', () => component.counters.buffered > 0);
    next.write(iq('q2'));
    await until('both questions came', () => component.counters.received >= 2);
    expect(component.state.status).toBe('connecting');
    await component.stop(2000);
    expect(answersIn(next).map(({ attrs }) => attrs.id)).toEqual(['q1', 'q2']);
    expect([next.ended, component.state.status]).toEqual([true, 'offline']);
    await until('the old one is left', () => {
      old.write(headline('still here'));
      return old.closed;
    });
  });

  test('what it still says is no sign of life of the next stream', async () => {
    const { component, server, old } = await givenUp();
    await until('it is back', () => component.counters.connects === 2);
    (await server.online()).pause();
    const talk = setInterval(() => old.write(headline('still here')), 20);
    onTestFinished(() => clearInterval(talk));
    await until('the next one is given up, too', () => component.counters.connects === 3);
    await until('the first is left for good', () => old.closed);
  });

  test.each([
    { when: 'after a while', limits: { leaveMs: 50 } },
    { when: 'when it refuses another beside it', refuses: true },
    { when: 'when the component stops', stops: true },
  ])('it is left for good $when', async ({ limits = {}, refuses, stops }) => {
    const { component, server, old, isGivenUp } = await givenUp({ limits });
    if (refuses) server.behave({ condition: 'conflict' });
    await until('it is given up', isGivenUp);
    if (stops) await component.stop(0);
    // A word of its own is what shows it.
    await until('it is left', () => {
      old.write(headline('still here'));
      return old.closed;
    });
  });
});

describe('reading', () => {
  test('text beyond ASCII survives any cut of the bytes', async () => {
    const { server, component } = await setup();
    const bodies: string[] = [];
    component.onMessage(({ element }) => {
      const [body] = element.children;
      if (body !== undefined && typeof body !== 'string') bodies.push(body.children.join(''));
    });
    await component.start();
    const connection = await server.online();
    const text = 'Jürgen Größe 😀 € 汉字 '.repeat(20);
    for (const bytes of [1, 2, 3, 7]) await connection.writeInPieces(headline(text), bytes);
    await until('all arrive', () => bodies.length === 4);
    expect(new Set(bodies)).toEqual(new Set([text]));
  });

  test('presence and messages reach the listeners; one that throws disturbs nobody', async () => {
    const { server, component, log } = await setup();
    const seen: Stanza[] = [];
    component.onPresence(() => {
      throw new Error('listener defect');
    });
    component.onPresence((stanza) => seen.push(stanza));
    component.onMessage((stanza) => seen.push(stanza));
    await component.start();
    const connection = await server.online();
    connection.write(`<presence from='tweber@example.test/desk' to='${domain}'/>`);
    connection.write(`<presence from='tweber@example.test/desk' to='340@${domain}' type='probe' id='p1'/>`);
    connection.write(
      `<message from='tweber@example.test/desk' to='${domain}' type='error' id='m1'><error/></message>`,
    );
    await until('all arrive', () => seen.length === 3);
    expect(seen.map(({ type, id, to }) => [type, id, to.bare])).toEqual([
      ['available', undefined, domain],
      ['probe', 'p1', `340@${domain}`],
      ['error', 'm1', domain],
    ]);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    // Errors, and everything that is no IQ, are never answered.
    await component.stop(1000);
    expect(connection.stanzas.filter(({ attrs }) => !`${attrs.from}${attrs.to}`.includes('/alive-'))).toEqual(
      [],
    );
  });

  test('a stanza without end is not gathered for ever', async () => {
    const { server, component, states } = await setup({ limits: { maxChars: 10_000 } });
    await component.start();
    const endless = `<message from='a.test' to='${domain}'><body>${'x'.repeat(20_000)}`;
    await (await server.online()).writeInPieces(endless, 1000);
    await until('it is back', () => component.counters.connects === 2);
    expect(states.map(({ reason }) => reason).join()).toMatch(/more than 10000 characters/);
  });

  test('a stanza that is too large costs nobody the stream, and is never taken for a whole one', async () => {
    const { server, component } = await setup({ limits: { maxChars: 10_000 } });
    component.onIq('test:large', () => ({ result: undefined }));
    const bodies: (string | undefined)[] = [];
    component.onMessage(({ id }) => bodies.push(id));
    await component.start();
    const connection = await server.online();
    const asked = component.request('a.test', 'get', xml('query', { xmlns: 'jabber:iq:roster' }), 20_000);
    const refused = expect(asked).rejects.toMatchObject({ condition: 'resource-constraint' });
    await until('the question is there', () => connection.stanzas.length > 0);
    const { id } = connection.stanzas[0]?.attrs ?? {};
    const items = `<item jid='b.test'><group>${'x'.repeat(100)}</group></item>`.repeat(500);
    await connection.writeInPieces(
      `<iq type='result' id='${id}' from='a.test' to='${domain}'><query xmlns='jabber:iq:roster'>${items}</query></iq>` +
        `<iq type='get' id='large' from='a.test' to='${domain}'><q xmlns='test:large'>${items}</q></iq>` +
        `<message id='m1' from='a.test' to='${domain}'>${items}</message>` +
        `<message id='m2' from='a.test' to='${domain}'/>`,
      1000,
    );
    await refused;
    await until('the next one arrives', () => bodies.length > 0);
    expect(bodies).toEqual(['m2']);
    await until('it is refused', () => connection.stanzas.some(({ attrs }) => attrs.id === 'large'));
    expect(connection.stanzas.find(({ attrs }) => attrs.id === 'large')?.attrs.type).toBe('error');
    expect(component.counters.connects).toBe(1);
  });
});

describe('sending', () => {
  test('while away it is refused; once up all arrives in order, joined', async () => {
    const { server, component } = await setup();
    expect(component.send(headline('too early'))).toBe(false);
    await component.start();
    const connection = await server.online();
    for (let n = 0; n < 3000; n += 1) expect(component.send(headline(`${n} ü`))).toBe(true);
    await until('all arrive', () => messages(connection).length === 3000);
    expect(messages(connection).map((stanza) => textIn(find(stanza, 'body')))).toEqual(
      Array.from({ length: 3000 }, (_, n) => `${n} ü`),
    );
    expect(component.counters).toMatchObject({ refused: 1, dropped: 0, buffered: 0 });
    expect(component.counters.sent).toBeGreaterThanOrEqual(3000);
  });

  test('a server that does not read: refused at the limit, memory stays bounded, goes on when it reads again', async () => {
    const { server, component } = await setup({ limits: { eventBytes: 300_000 } });
    await component.start();
    const connection = await server.online();
    connection.pause();
    const stanza = headline('x'.repeat(10_000));
    let taken = 0;
    // The kernel takes some in each turn, until its buffers are full.
    await until('nothing more is taken', async () => {
      let now = 0;
      while (component.send(stanza)) now += 1;
      taken += now;
      expect(component.counters.buffered).toBeLessThanOrEqual(300_000 + 65_536);
      return now === 0;
    });
    connection.resume();
    await until('all that was taken arrives', () => messages(connection).length === taken);
    expect(component.send(stanza)).toBe(true);
  });

  test('a stanza that the server would end the stream for is refused', async () => {
    const { component } = await setup({ limits: { stanzaBytes: 1000 } });
    await component.start();
    expect(component.send(headline('x'.repeat(1000)))).toBe(false);
    expect(component.send(headline('x'))).toBe(true);
  });
});

describe('stopping', () => {
  test('what was sent before is written, then the stream is closed; nothing connects again', async () => {
    const { server, component } = await setup();
    await component.start();
    const connection = await server.online();
    for (let n = 0; n < 500; n += 1) component.send(headline('x'.repeat(1000)));
    await component.stop(5000);
    expect(component.state).toEqual({ status: 'offline', reason: '' });
    const messages = () => connection.stanzas.filter(({ name }) => name === 'message');
    await until('the server has it all', () => connection.ended && messages().length === 500);
    expect(component.send(headline('late'))).toBe(false);
    expect(server.connections).toHaveLength(1);
  });

  test('a server that does not answer the goodbye holds nobody up', async () => {
    const { server, component } = await setup();
    await component.start();
    (await server.online()).freeze();
    await component.stop(50);
    expect(component.state.status).toBe('offline');
  });

  test('a question about how far the stream has got is answered, whatever else is refused by then', async () => {
    const { server, component } = await setup();
    component.onIq('urn:test', () => new Promise(() => {}));
    await component.start();
    const connection = await server.online();
    connection.write(
      `<iq type='get' id='q1' from='anna@server.test/desk' to='${domain}'><query xmlns='urn:test'/></iq>`,
    );
    await until('an answer is in the making', () => component.counters.openIqs === 1);
    connection.pause();
    const confirmed = component.confirm(20_000).then(() => 'confirmed');
    const stopped = component.stop(500);
    connection.resume();
    expect(await confirmed).toBe('confirmed');
    await stopped;
  });

  test('before a first connection: start resolves, too', async () => {
    const { server, component } = await setup();
    server.behave('mute');
    const started = component.start();
    await component.stop(0);
    await started;
    expect(component.state.status).toBe('offline');
  });
});

describe('TLS', () => {
  /** A component that wants TLS on that port. */
  function secured(port: number, options: Partial<ComponentOptions>) {
    const limits = { ...quick, openMs: 1000 };
    const made = createComponent({
      service: `xmpps://127.0.0.1:${port}`,
      domain,
      secret,
      log: keepLog(),
      limits,
      ...options,
    });
    onTestFinished(() => made.stop(0));
    return made;
  }

  test('with the CA of the server it connects; without, the reason says what is missing', async () => {
    const { ca, tls } = await serverTls();
    const { server } = await setup({}, { tls });
    await secured(server.port, { ca, limits: quick }).start();
    const doubting = secured(server.port, {});
    void doubting.start();
    await until('a reason is given', () => doubting.state.reason !== '');
    expect(doubting.state.reason).toMatch(/give us its CA certificate/);
  });

  test('a port without TLS: says so', async () => {
    const { server } = await setup();
    const misled = secured(server.port, {});
    void misled.start();
    await until('a reason is given', () => misled.state.reason !== '');
    expect(misled.state.reason).toMatch(/does not speak TLS|not with TLS/);
  });
});
