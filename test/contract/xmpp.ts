/** What the XMPP side does on every real server. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { elements, serialize, textOf, xml } from '../../src/protocol/xml.ts';
import { type Component, type ComponentOptions, createComponent } from '../../src/xmpp/component.ts';
import { componentInfo, serveDisco } from '../../src/xmpp/disco.ts';
import { PING_NS } from '../../src/xmpp/namespaces.ts';
import { servePing } from '../../src/xmpp/ping.ts';
import { serveTime } from '../../src/xmpp/time.ts';
import { serveVersion } from '../../src/xmpp/version.ts';
import type { Stanza } from '../../src/xmpp/xmpp.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { login } from '../xmpp/client.ts';
import { keepLog, quick } from '../xmpp/setup.ts';
import { find, type Tree, textIn } from '../xmpp/tree.ts';

const domain = 'pbx.example.test';
const secret = 'sécret & <more>';
const ns = 'urn:example:echo';
const tweber = { name: 'tweber', password: 'one' };
const mmeyer = { name: 'mmeyer', password: 'two' };

/** Runs the suite on a server that `start` starts. */
export function xmppContract(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await start({
        domain: 'example.test',
        users: [tweber, mmeyer],
        component: { jid: domain, secret },
      });
    });
    afterAll(() => server?.stop());

    function make(options: Partial<ComponentOptions> = {}): Component {
      const service = `xmpp://${server.host}:${server.componentPort}`;
      const { limits, ...others } = options;
      const component = createComponent({
        service,
        domain,
        secret,
        log: keepLog(),
        limits: { ...quick, ...limits },
        ...others,
      });
      onTestFinished(() => component.stop(0));
      return component;
    }

    /** A connected component that answers with what it is asked. */
    async function connected(options: Partial<ComponentOptions> = {}): Promise<Component> {
      const component = make(options);
      const features = [PING_NS, ns];
      serveDisco(component, { info: [componentInfo(component, 'offhook', () => features)], items: [] });
      servePing(component);
      serveVersion(component, { name: 'offhook', version: '1.2.3' });
      serveTime(component);
      component.onIq(ns, ({ payload }) => ({ result: payload }));
      await component.start();
      return component;
    }

    test('a wrong secret is refused, and the reason says what to compare', async () => {
      const component = make({ secret: 'wrong-one' });
      void component.start();
      await until('a reason is given', () => component.state.reason !== '');
      expect(component.state.status).toBe('connecting');
      expect(component.state.reason).toMatch(/compare XMPP_SECRET/);
      expect(component.state.reason).not.toContain('wrong-one');
    });

    test('a component that the server does not know is refused, and the reason names it', async () => {
      const component = make({ domain: 'other.example.test' });
      void component.start();
      await until('a reason is given', () => component.state.reason !== '');
      expect(component.state.reason).toMatch(/other\.example\.test|component secret/);
    });

    test('answers its users: result, errors, discovery, ping, version, time', async () => {
      await connected();
      const user = await login(server, tweber, 'desk');
      const echo = await user.ask(domain, `<say xmlns='${ns}' to='all'>hello</say>`, 'set');
      expect([echo.attrs.type, echo.attrs.from, echo.attrs.to]).toEqual(['result', domain, user.jid]);
      expect(textIn(find(echo, 'say'))).toBe('hello');
      const conditions = [];
      for (const payload of [
        `<x xmlns='urn:nobody'/>`,
        `<query xmlns='http://jabber.org/protocol/disco#info' node='no'/>`,
      ]) {
        const [condition] = find(await user.ask(domain, payload), 'error')?.children ?? [];
        conditions.push(typeof condition === 'string' ? condition : condition?.name);
      }
      expect(conditions).toEqual(['service-unavailable', 'item-not-found']);
      const info = find(
        await user.ask(domain, `<query xmlns='http://jabber.org/protocol/disco#info'/>`),
        'query',
      );
      expect(find(info, 'identity')?.attrs).toMatchObject({ category: 'component', type: 'generic' });
      expect(
        (await user.ask(domain, `<query xmlns='http://jabber.org/protocol/disco#items'/>`)).attrs.type,
      ).toBe('result');
      expect((await user.ask(domain, `<ping xmlns='urn:xmpp:ping'/>`)).attrs.type).toBe('result');
      const version = find(await user.ask(domain, `<query xmlns='jabber:iq:version'/>`), 'query');
      expect(textIn(find(version, 'version'))).toBe('1.2.3');
      const time = find(await user.ask(domain, `<time xmlns='urn:xmpp:time'/>`), 'time');
      expect(textIn(find(time, 'utc'))).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    });

    test('asks the server and its users, and tells errors apart from answers', async () => {
      const component = await connected();
      const user = await login(server, tweber, 'desk');
      const query = xml('query', { xmlns: 'http://jabber.org/protocol/disco#info' });
      const info = await component.request('example.test', 'get', query, 10_000);
      expect(elements(info)[0]?.name).toBe('query');
      const ping = xml('ping', { xmlns: PING_NS });
      const gone = component.request('tweber@example.test/nobody', 'get', ping, 10_000);
      await expect(gone).rejects.toMatchObject({ condition: 'service-unavailable' });
      const answer = await component.request(user.jid, 'get', ping, 10_000);
      expect([answer.attrs.get('type'), answer.attrs.get('from')]).toEqual(['result', user.jid]);
    });

    test('hostile text in a headline arrives, and costs nobody the stream', async () => {
      const component = await connected();
      const user = await login(server, tweber, 'desk');
      const text = `"Jürgen" <😀> & 'ÿ' ]]> \u0000\u0001\u001B[31m\uFFFE\uD800 汉字 \u202E`;
      const body = xml('body', {}, [text]);
      const inAttribute = xml('x', { xmlns: ns, text });
      const attrs = { to: user.jid, from: domain, type: 'headline', id: 'h1' };
      expect(component.send(serialize(xml('message', attrs, [body, inAttribute])))).toBe(true);
      const got = await until('the headline arrives', () =>
        user.stanzas.find(({ attrs: { id } }) => id === 'h1'),
      );
      const clean = `"Jürgen" <😀> & 'ÿ' ]]> \uFFFD\uFFFD\uFFFD[31m\uFFFD\uFFFD 汉字 \u202E`;
      expect([textIn(find(got, 'body')), find(got, 'x')?.attrs.text]).toEqual([clean, clean]);
      expect((await user.ask(domain, `<say xmlns='${ns}'/>`)).attrs.type).toBe('result');
      expect(component.counters.connects).toBe(1);
    });

    test('large payloads beyond ASCII survive both ways, many at a time', async () => {
      await connected();
      const user = await login(server, tweber, 'desk');
      const text = 'ü€😀汉'.repeat(3000);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, n) => user.ask(domain, `<say xmlns='${ns}'>${n}${text}</say>`)),
      );
      const wrong = answers.filter((answer, n) => textIn(find(answer, 'say')) !== `${n}${text}`);
      expect(wrong.map(({ attrs }) => attrs.id)).toEqual([]);
    });

    test('thousands of messages arrive, each once, in order', async () => {
      const component = await connected();
      const user = await login(server, tweber, 'desk');
      const count = 5000;
      for (let n = 0; n < count; n += 1) {
        expect(
          component.send(
            `<message to='${user.jid}' from='${domain}' type='headline'><body>${n}</body></message>`,
          ),
        ).toBe(true);
      }
      const numbers = () =>
        user.stanzas.flatMap((stanza) => (stanza.attrs.type === 'headline' ? [bodyOf(stanza)] : []));
      await until('all arrive', () => user.stanzas.length > count && numbers().length >= count, 30);
      expect(numbers()).toEqual(Array.from({ length: count }, (_, n) => String(n)));
    });

    test('presence and messages of users reach the listeners, errors included', async () => {
      const component = await connected();
      const seen: Stanza[] = [];
      component.onPresence((stanza) => seen.push(stanza));
      component.onMessage((stanza) => seen.push(stanza));
      const user = await login(server, tweber, 'desk');
      await user.send(`<presence to='${domain}'><status>ü</status></presence>`);
      await user.send(`<message to='340@${domain}' type='chat' id='c1'><body>call me</body></message>`);
      await until('both arrive', () => seen.length >= 2);
      expect(seen.map(({ from, to, type }) => [`${from.bare}/${from.resource}`, to.bare, type])).toEqual([
        [user.jid, domain, 'available'],
        [user.jid, `340@${domain}`, 'chat'],
      ]);
      const body =
        seen[1] === undefined
          ? undefined
          : elements(seen[1].element).find(({ name: kind }) => kind === 'body');
      expect(body === undefined ? undefined : textOf(body)).toBe('call me');
      component.send(
        `<message to='nobody@example.test' from='${domain}' type='normal' id='e1'><body>?</body></message>`,
      );
      await until('the error arrives', () => seen.some(({ type, id }) => type === 'error' && id === 'e1'));
      await user.leave();
      await until('the end of the session arrives', () => seen.some(({ type }) => type === 'unavailable'));
    });

    test('its own pings come back through the server', async () => {
      const component = await connected({ limits: { pingEveryMs: 10, pingTimeoutMs: 10_000 } });
      await until('ten pings and their answers came', () => component.counters.received >= 20);
      expect(component.state.status).toBe('online');
      expect(component.counters.connects).toBe(1);
    });

    test('the server is killed and comes back: so does the component, and serves', async () => {
      const component = await connected();
      await server.kill();
      await until('the loss is noticed', () => component.state.status === 'connecting');
      expect(component.send(`<message to='a@example.test' from='${domain}'/>`)).toBe(false);
      await server.restart();
      await until('it is back', () => component.state.status === 'online', 30);
      const user = await login(server, mmeyer, 'home');
      expect((await user.ask(domain, `<say xmlns='${ns}'/>`)).attrs.type).toBe('result');
    });

    test('stop: what is in the making is answered, then the stream ends', async () => {
      const component = await connected();
      let finish = () => {};
      component.onIq(
        'urn:example:slow',
        () =>
          new Promise((resolve) => {
            finish = () => resolve({ result: undefined });
          }),
      );
      const user = await login(server, tweber, 'desk');
      const asked = user.ask(domain, `<slow xmlns='urn:example:slow'/>`);
      await until('it is in the making', () => component.counters.openIqs === 1);
      const stopped = component.stop(20_000);
      finish();
      await stopped;
      expect((await asked).attrs.type).toBe('result');
      expect(component.state.status).toBe('offline');
    });
  });
}

function bodyOf(stanza: Tree): string {
  return textIn(find(stanza, 'body'));
}
