import { expect, it } from 'vitest';
import { createCourtesy } from '../src/courtesy.ts';
import { parseJid } from '../src/protocol/jid.ts';
import { xml } from '../src/protocol/xml.ts';
import { servePing } from '../src/xmpp/ping.ts';
import { until } from './servers/until.ts';
import { domain, setup } from './xmpp/setup.ts';

function courtesy() {
  let time = 0;
  const made = createCourtesy({
    domain,
    domains: ['example.test'],
    limited: ['jabber:iq:search'],
    keys: 10,
    monotonic: () => time,
  });
  const asks = (jid: string, ns = 'urn:xmpp:ping') => {
    const from = parseJid(jid);
    if (from === undefined) throw new Error('not a JID');
    return made.admits({ from, payload: { ...xml('x'), ns } });
  };
  const pass = (ms: number) => {
    time += ms;
  };
  return { asks, pass, bounds: made.bounds };
}

it('answers whoever asks too much again a moment later, and everybody else at any time', () => {
  const { asks, pass, bounds } = courtesy();
  for (let n = 0; n < 1000; n++) expect(asks(`anna@example.test/${n}`)).toBe(true);
  expect(asks('anna@example.test/desk')).toBe(false);
  expect(asks('bernd@example.test/desk')).toBe(true);
  pass(1000);
  for (let n = 0; n < 50; n++) expect(asks('anna@example.test/desk')).toBe(true);
  expect(asks('anna@example.test/desk')).toBe(false);
  expect(bounds.map(({ of, held }) => [of, held])).toEqual([['asking_users', 2]]);
});

it('does not count servers of the users, the component itself, and what is limited elsewhere', () => {
  const { asks } = courtesy();
  for (let n = 0; n < 2000; n++) {
    expect(asks('example.test')).toBe(true);
    expect(asks(`${domain}/alive`)).toBe(true);
    expect(asks('anna@example.test', 'http://www.pascom.net/mobydick')).toBe(true);
    expect(asks('anna@example.test', 'jabber:iq:search')).toBe(true);
  }
  expect(asks('anna@example.test')).toBe(true);
});

it('is said with resource-constraint, once for each', async () => {
  const made = createCourtesy({ domain, domains: [], limited: [], keys: 10, monotonic: () => 0 });
  const { component, server } = await setup({ admits: made.admits });
  servePing(component);
  await component.start();
  const connection = await server.online();
  for (let n = 0; n < 1500; n++)
    connection.write(
      `<iq type='get' id='q${n}' from='anna@example.test/desk' to='${domain}'><ping xmlns='urn:xmpp:ping'/></iq>`,
    );
  const answers = () => connection.stanzas.filter(({ attrs }) => attrs.id?.startsWith('q'));
  await until('all are answered', () => answers().length === 1500);
  expect(answers().filter(({ attrs }) => attrs.type === 'result')).toHaveLength(1000);
  expect(new Set(answers().map(({ attrs }) => attrs.id)).size).toBe(1500);
  expect(JSON.stringify(answers().at(-1))).toContain('resource-constraint');
});
