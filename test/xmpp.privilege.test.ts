import { describe, expect, onTestFinished, test } from 'vitest';
import { parseJid } from '../src/protocol/jid.ts';
import { type XmlElement, xml } from '../src/protocol/xml.ts';
import { createComponent } from '../src/xmpp/component.ts';
import { type PrivilegeWatch, readPrivileges, watchPrivileges } from '../src/xmpp/privilege.ts';
import type { Stanza, XmppState } from '../src/xmpp/xmpp.ts';
import { startEjabberd } from './servers/ejabberd.ts';
import { startProsody } from './servers/prosody.ts';
import { until } from './servers/until.ts';
import type { XmppServer } from './servers/xmpp.ts';
import { keepLog, quick } from './xmpp/setup.ts';

const ns = 'urn:xmpp:privilege:2';
const perm = (access: string, type?: string, children: XmlElement[] = []) =>
  xml('perm', { access, type }, children);
const advert = (children: XmlElement[], xmlns = ns) =>
  xml('message', {}, [xml('privilege', { xmlns }, children)]);

describe('an advertisement', () => {
  test('says what is granted, and what is not named is not', () => {
    expect(readPrivileges(advert([perm('roster', 'both')]))).toEqual({
      ns,
      roster: 'both',
      message: 'none',
      presence: 'none',
      iq: new Map(),
    });
    expect(readPrivileges(advert([]))).toMatchObject({ roster: 'none' });
  });

  test('may have either version of the namespace', () => {
    const old = advert([perm('presence', 'managed_entity')], 'urn:xmpp:privilege:1');
    expect(readPrivileges(old)).toMatchObject({ ns: 'urn:xmpp:privilege:1', presence: 'managed_entity' });
  });

  test('of IQs lists namespaces side by side, or (Prosody 0.12) one in the other', () => {
    const namespace = (name: string, type: string, inner: XmlElement[] = []) =>
      xml('namespace', { ns: name, type }, inner);
    const beside = perm('iq', undefined, [namespace('urn:a', 'get'), namespace('urn:b', 'both')]);
    const nested = perm('iq', undefined, [namespace('urn:a', 'get', [namespace('urn:b', 'both')])]);
    const expected = new Map([
      ['urn:a', 'get'],
      ['urn:b', 'both'],
    ]);
    expect(readPrivileges(advert([beside]))?.iq).toEqual(expected);
    expect(readPrivileges(advert([nested]))?.iq).toEqual(expected);
  });

  test('is neither another message, nor one that carries a stanza', () => {
    expect(readPrivileges(xml('message', {}, [xml('body', {}, ['hello'])]))).toBeUndefined();
    const forwarded = xml('forwarded', { xmlns: 'urn:xmpp:forward:0' });
    expect(readPrivileges(advert([forwarded]))).toBeUndefined();
    expect(readPrivileges(advert([], 'urn:xmpp:privilege:evil'))).toBeUndefined();
  });
});

/** A watch, and the means to tell it things. */
function watched() {
  const messages: ((stanza: Stanza) => void)[] = [];
  const states: ((state: XmppState) => void)[] = [];
  const watch = watchPrivileges(
    {
      onMessage: (listener) => void messages.push(listener),
      onState: (listener) => {
        states.push(listener);
        return () => {};
      },
    },
    ['Example.org'],
    keepLog(),
  );
  return {
    watch,
    say(from: string, element: XmlElement, type = 'normal') {
      const [sender, to] = [parseJid(from), parseJid('pbx.example.org')];
      if (sender === undefined || to === undefined) throw new Error(`no JID: ${from}`);
      for (const listener of messages) listener({ from: sender, to, type, id: undefined, element });
    },
    lose: () => {
      for (const listener of states) listener({ status: 'connecting', reason: 'gone' });
    },
  };
}

describe('privileges', () => {
  test('are believed from the domain itself only', () => {
    const { watch, say } = watched();
    const granted = advert([perm('roster', 'both')]);
    for (const from of ['tweber@example.org', 'example.org/x', 'evil.test', 'sub.example.org'])
      say(from, granted);
    say('example.org', granted, 'error');
    expect(watch.of('example.org')).toBeUndefined();
    say('example.org', granted);
    expect(watch.of('example.org')?.roster).toBe('both');
  });

  test('end with the stream, and listeners hear of both', () => {
    const { watch, say, lose } = watched();
    const heard: (string | undefined)[] = [];
    watch.onChange((domain, privileges) => heard.push(`${domain} ${privileges?.roster}`));
    say('example.org', advert([perm('roster', 'get')]));
    lose();
    expect(watch.of('example.org')).toBeUndefined();
    expect(heard).toEqual(['example.org get', 'example.org undefined']);
  });
});

const component = { jid: 'pbx.example.test', secret: 'handshake' };
const options = { domain: 'example.test', users: [], component };

async function watchOn(server: XmppServer): Promise<PrivilegeWatch> {
  onTestFinished(() => server.stop());
  const made = createComponent({
    service: `xmpp://${server.host}:${server.componentPort}`,
    domain: component.jid,
    secret: component.secret,
    log: keepLog(),
    limits: quick,
  });
  onTestFinished(() => made.stop(0));
  const watch = watchPrivileges(made, ['example.test'], keepLog());
  await made.start();
  return watch;
}

const all = { roster: 'both', message: 'outgoing', presence: 'managed_entity' };

test('Prosody says what it grants', async () => {
  const watch = await watchOn(await startProsody({ ...options, privilege: true }));
  await until('the advertisement is in', () => watch.of('example.test') !== undefined);
  expect(watch.of('example.test')).toMatchObject({ ...all, ns: 'urn:xmpp:privilege:2' });
});

test('ejabberd says what it grants', async () => {
  const watch = await watchOn(await startEjabberd({ ...options, privilege: true }));
  await until('the advertisement is in', () => watch.of('example.test') !== undefined);
  expect(watch.of('example.test')).toMatchObject({ ...all, ns: 'urn:xmpp:privilege:1' });
});
