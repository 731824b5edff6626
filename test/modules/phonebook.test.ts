import { describe, expect, it } from 'vitest';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import type { Person } from '../../src/phonebook/phonebook.ts';
import { type XmlElement, xml } from '../../src/protocol/xml.ts';
import { person, source } from '../phonebook/people.ts';
import { until } from '../servers/until.ts';
import { phonebook as settings } from '../settings.ts';
import { api, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/desk';
const ask = (name: string, attributes: Record<string, string> = {}) => xml(name, attributes);

async function office(persons: readonly Person[] = [], visibleTo = settings.visibleTo) {
  const file = source('file', ...persons);
  const made = api({ phonebook: { ...settings, sources: [file], visibleTo } });
  await made.models.phonebook.start?.();
  await until('the phonebook is made', () => made.models.phonebook.size > 0);
  const find = (payload: XmlElement, from = anna) => made.ask(from, 'phonebook', payload);
  return { ...made, file, find };
}

const names = (answer: string) => [...answer.matchAll(/<displayname>([^<]*)/g)].map(([, name]) => name);

const customer = person({
  firstname: 'Ada',
  surname: 'Kunde',
  organisation: 'Kunde & Söhne',
  email: 'ada@kunde.example',
  numbers: [
    ['phone', '+49 30 1234567'],
    ['phone', '+49 30 1234568'],
    ['mobile', '0171 1234567'],
    ['fax', '030 1234569'],
    ['homephone', '!030 7654321'],
  ],
  labels: ['VIP', 'A <b>'],
});

describe('Find', () => {
  it('shows a person with every element', async () => {
    const { find } = await office([customer]);
    const answer = await find(ask('Find', { query: 'kunde' }));
    expect(answer).toContain(
      '<type/><id>' +
        customer.id +
        '</id><firstname>Ada</firstname><surname>Kunde</surname><phone>+49 30 1234567</phone><fax>030 1234569</fax>' +
        '<mobile>0171 1234567</mobile><homephone/><email>ada@kunde.example</email><displayname>Ada Kunde</displayname>' +
        "<organisation>Kunde &amp; Söhne</organisation><LabelList><Label name='VIP'/><Label name='A &lt;b&gt;'/></LabelList>" +
        "<NumberList><Number type='phone'>+49 30 1234568</Number></NumberList></PhonebookEntry></PhonebookList>",
    );
    expect(answer).toContain(`<PhonebookEntry eventId='${customer.id}' eventType=''>`);
    expect(answer).not.toContain('7654321');
  });

  it('shows our users as accounts', async () => {
    const { find } = await office();
    const answer = await find(ask('Find', { query: 'thomas' }));
    expect(answer).toMatch(
      /<type>011account<\/type><id>\d+<\/id><firstname>Thomas<\/firstname><surname>Weber<\/surname><phone>340<\/phone>/,
    );
    expect(answer).not.toContain('LabelList');
    expect(answer).not.toContain('NumberList');
  });

  it('follows the directory and the sources', async () => {
    const { find, file, change } = await office([customer]);
    change(user('new', '388', 'Nina Neu'));
    await until(
      'the new user is found',
      async () => names(await find(ask('Find', { query: 'neu' }))).length === 1,
    );
    file.put(person({ name: 'Other' }));
    await until(
      'the customer is gone',
      async () => names(await find(ask('Find', { query: 'kunde' }))).length === 0,
    );
    expect(names(await find(ask('Find', { query: 'other' })))).toEqual(['Other']);
  });

  it('is for everybody, or for the groups that the operator names', async () => {
    const visibleTo = new Map([['file', new Set(['sales'])] as const]);
    const { find, change } = await office([customer], visibleTo);
    expect(names(await find(ask('Find', { query: 'kunde' })))).toEqual([]);
    expect(names(await find(ask('Find', { query: 'kunde' }), boss))).toEqual([]);
    change(user('boss', '320', 'Bea Boss', { groups: new Set(['sales']) }));
    expect(names(await find(ask('Find', { query: 'kunde' }), boss))).toEqual(['Ada Kunde']);
  });

  it('refuses a query that nobody types', async () => {
    const { find } = await office();
    expect(await find(ask('Find', { query: 'x'.repeat(10_000) }))).toBe(
      "bad-request: Find: attribute 'query' must be a text of at most 256 characters",
    );
    expect(await find(ask('Find', { limit: '0' }))).toMatch(/^bad-request/);
    expect(names(await find(ask('Find', { query: '(a+)+$\u0000\u001b[2J' })))).toEqual([]);
  });
});

describe('FindAll', () => {
  it('gives pages', async () => {
    const { find } = await office(['Xaver', 'Yvonne', 'Zora'].map((name) => person({ name })));
    const seen: (string | undefined)[] = [];
    let after: string | undefined;
    for (let pages = 0; pages < 10; pages++) {
      const answer = await find(ask('FindAll', { limit: '3', ...(after && { after }) }));
      seen.push(...names(answer));
      after = /next='([^']*)'/.exec(answer)?.[1];
      if (after === undefined) break;
    }
    expect(seen).toEqual([
      'Bea Boss',
      'Max Meyer',
      'Nora Nophone',
      'Thomas Weber',
      'Xaver',
      'Yvonne',
      'Zora',
    ]);
  });

  it('never answers with more bytes than a stanza may have, and misses nobody', async () => {
    const many = Array.from({ length: 3000 }, (_, n) =>
      person({
        id: `${n}`,
        name: `${'ü&'.repeat(100)}${n}`,
        numbers: [['phone', `+49 30 ${1_000_000 + n}`]],
      }),
    );
    const { find, models } = await office(many);
    // A large book is made while calls are already followed.
    await until('everybody is known', () => models.phonebook.size === 3004, 60);
    const seen = new Set<string | undefined>();
    let after: string | undefined;
    let pages = 0;
    do {
      const answer = await find(ask('FindAll', after === undefined ? {} : { after }));
      expect(Buffer.byteLength(answer)).toBeLessThan(400_000 + 10_000);
      for (const name of names(answer)) seen.add(name);
      after = /next='([^']*)'/.exec(answer)?.[1]?.replaceAll('&amp;', '&');
      pages++;
    } while (after !== undefined);
    expect(pages).toBeGreaterThan(2);
    expect(seen.size).toBe(3004);
  });
});

describe('names of callers', () => {
  const outside = (changes = {}) =>
    view({
      other: { number: '0301234567', name: '' },
      otherDevice: '' as never,
      refChannel: 'PJSIP/trunk-00000002' as ChannelId,
      ...changes,
    });
  const ringing = { kind: 'channel', type: 'ringing', details: '', at: 1000 } as const;

  async function told(shown: ReturnType<typeof outside>, persons = [customer]) {
    const made = await office(persons);
    await made.ask(
      anna,
      'xmppuser',
      xml('ClientInfo', {}, [
        xml('AddSubscription', {}, [xml('Subscription', { module: 'base', type: 'ChannelEvent' })]),
      ]),
    );
    made.tell({ ...ringing, view: shown });
    return made.sent.at(-1);
  }

  it('come from the phonebook where the directory knows none, with labels', async () => {
    const event = await told(outside({ other: { number: '0301234567', name: 'A. KUNDE' } }));
    expect(event).toContain('<sourceName>Ada Kunde</sourceName><sourceNumber>0301234567</sourceNumber>');
    expect(event).toContain('<sourceCallerIdName>A. KUNDE</sourceCallerIdName>');
    expect(event).toContain(
      "<LabelList><Label name='VIP'/><Label name='A &lt;b&gt;'/></LabelList></ChannelEvent>",
    );
    expect(event).toContain('<internal>false</internal>');
  });

  it('come by a private number, too, which is not shown anywhere else', async () => {
    expect(await told(outside({ other: { number: '+49307654321', name: '' } }))).toContain(
      '<sourceName>Ada Kunde<',
    );
  });

  it('stay as signaled for who is unknown', async () => {
    const event = await told(outside({ other: { number: '0301', name: 'Somebody' } }));
    expect(event).toContain('<sourceName>Somebody</sourceName>');
    expect(event).toContain('<sourceCallerIdName/>');
    expect(event).not.toContain('LabelList');
  });

  it('are not given to a stranger who claims to be an extension', async () => {
    for (const number of ['370', '0370', '+370']) {
      const event = await told(outside({ other: { number, name: 'Liar' } }), [
        person({ name: 'Max Meyer', numbers: [['phone', '370']] }),
      ]);
      expect(event).toContain('<sourceName>Liar</sourceName>');
    }
  });
});
