import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { StanzaError } from '../../src/errors.ts';
import { directoryPersons } from '../../src/phonebook/directory.ts';
import { createPhonebook } from '../../src/phonebook/model.ts';
import type { Person } from '../../src/phonebook/phonebook.ts';
import { SEARCH_NS, serveSearch } from '../../src/phonebook/search.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { child, elements, serialize, textOf, type XmlElement, xml } from '../../src/protocol/xml.ts';
import { createRateLimit } from '../../src/rate.ts';
import type { IqHandler } from '../../src/xmpp/xmpp.ts';
import { user } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import { phonebook as settings } from '../settings.ts';
import { keepLog } from '../xmpp/setup.ts';
import { person, source } from './people.ts';

const anna = 'tweber@example.org/desk';

/** A component that is searched; answers are the serialized query, or `condition: text`. */
async function searching(persons: readonly Person[] = [], answerBytes = 400_000, burst = 1e6) {
  const directory = createDirectory([
    user('tweber', '340', 'Thomas Weber'),
    user('mmeyer', '370', 'Max Meyer'),
  ]);
  const phonebook = createPhonebook({
    ...settings,
    sources: [
      directoryPersons({ current: directory, onChange: () => () => {} }, settings.numbers.key),
      source('file', ...persons),
    ],
    isExtension: () => false,
    log: keepLog(),
  });
  await phonebook.start?.();
  await until('the phonebook is made', () => phonebook.size > 0);
  let handler: IqHandler | undefined;
  serveSearch(
    {
      domain: 'pbx.example.org',
      onIq: (_ns, registered) => {
        handler = registered;
      },
    },
    {
      phonebook,
      directory: () => directory,
      rate: createRateLimit({ perSecond: burst, burst, keys: 10, monotonic: () => 0 }),
      answerBytes,
    },
  );
  return async (
    type: 'get' | 'set',
    children: readonly XmlElement[] = [],
    { from = anna, to = 'pbx.example.org' } = {},
  ): Promise<XmlElement> => {
    const [sender, target] = [parseJid(from), parseJid(to)];
    if (handler === undefined || sender === undefined || target === undefined)
      throw new Error('not a search');
    const payload = xml('query', { xmlns: SEARCH_NS }, children);
    const answer = await handler({ type, id: '1', from: sender, to: target, payload });
    if ('error' in answer || answer.result === undefined) throw new Error('no result');
    return answer.result;
  };
}

const submit = (values: Record<string, string>) =>
  xml(
    'x',
    { xmlns: 'jabber:x:data', type: 'submit' },
    Object.entries(values).map(([name, value]) => xml('field', { var: name }, [xml('value', {}, [value])])),
  );
const page = (...children: XmlElement[]) => xml('set', { xmlns: 'http://jabber.org/protocol/rsm' }, children);
const itemsOf = (query: XmlElement) => {
  const form = child(query, 'x');
  return elements(form ?? query).filter(({ name }) => name === 'item');
};
const refusal = async (answer: Promise<unknown>) => {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof StanzaError ? error.condition : error;
};

describe('search', () => {
  it('offers fields, with and without a form', async () => {
    const search = await searching();
    const text = serialize(await search('get'));
    expect(text).toContain('<first/><last/><nick/><email/>');
    expect(text).toContain("<field type='hidden' var='FORM_TYPE'><value>jabber:iq:search</value></field>");
    expect(text).toContain("<field type='text-single' var='search'");
  });

  it('finds contacts for clients that know no forms', async () => {
    const search = await searching([person({ name: 'Thomas Without', numbers: [['phone', '030 1']] })]);
    const query = await search('set', [xml('first', {}, ['tho*']), xml('last')]);
    expect(itemsOf(query).map(serialize)).toEqual([
      "<item jid='tweber@example.org'><first>Thomas</first><last>Weber</last><nick>Thomas Weber</nick><email></email></item>",
    ]);
    expect(itemsOf(await search('set', [xml('first', {}, ['weber'])]))).toEqual([]);
    expect(itemsOf(await search('set', [xml('first', {}, ['thomas']), xml('last', {}, ['meyer'])]))).toEqual(
      [],
    );
    expect(itemsOf(await search('set', [xml('nick', {}, ['*'])]))).toHaveLength(2);
  });

  it('hides private numbers', async () => {
    const search = await searching([
      person({
        name: 'Ada',
        numbers: [
          ['phone', '030 1'],
          ['mobile', '!0171 1'],
        ],
      }),
    ]);
    const text = serialize(await search('set', [submit({ search: 'ada' })]));
    expect(text).toContain('<value>030 1</value>');
    expect(text).not.toContain('0171');
  });

  it('gives a hundred at the most, and pages to who asks for them', async () => {
    const search = await searching(Array.from({ length: 250 }, (_, n) => person({ name: `P ${n}` })));
    expect(itemsOf(await search('set', [submit({ search: 'p ' })]))).toHaveLength(100);
    const seen = new Set<string>();
    let after = page();
    for (let pages = 0; pages < 10; pages++) {
      const query = await search('set', [submit({ search: 'p' }), after]);
      for (const item of itemsOf(query)) seen.add(serialize(item));
      const set = child(query, 'set');
      const last = set && child(set, 'last');
      if (last === undefined) break;
      after = page(xml('max', {}, ['70']), xml('after', {}, [textOf(last)]));
    }
    expect(seen.size).toBe(250);
  });

  it('fits into a stanza', async () => {
    const search = await searching(
      Array.from({ length: 100 }, (_, n) => person({ name: `P ${n} ${'&'.repeat(200)}` })),
      50_000,
    );
    const query = await search('set', [submit({ search: 'p' })]);
    expect(itemsOf(query).length).toBeGreaterThan(5);
    expect(Buffer.byteLength(serialize(query))).toBeLessThan(50_000);
  });

  it('is for our users, at the component, in moderation', async () => {
    const search = await searching([], 400_000, 2);
    expect(await refusal(search('get', [], { from: 'stranger@example.org/x' }))).toBe('forbidden');
    expect(await refusal(search('set', [], { from: 'tweber@evil.example/x' }))).toBe('forbidden');
    expect(await refusal(search('get', [], { to: '340@pbx.example.org' }))).toBe('service-unavailable');
    expect(await refusal(search('set', [submit({ search: 'x'.repeat(10_000) })]))).toBe('bad-request');
    expect(itemsOf(await search('set', [submit({ search: '(a+)+$\u0000' })]))).toEqual([]);
    expect(await refusal(search('set', [submit({ search: 'x' })]))).toBe('resource-constraint');
  });
});
