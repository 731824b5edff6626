import { describe, expect, it } from 'vitest';
import { type XmlElement, xml } from '../../src/protocol/xml.ts';
import { api, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/desk';
const subscription = (module: string, type: string, scope?: string, filters: XmlElement[] = []) =>
  xml('Subscription', { module, type, scope }, filters);
const filter = (name: string, equals: string) => xml('AttributeFilter', { name, equals });
const add = (...subscriptions: XmlElement[]) => xml('AddSubscription', {}, subscriptions);
const remove = (...subscriptions: XmlElement[]) => xml('RemoveSubscription', {}, subscriptions);
const list = (inner: string) =>
  `<cmd xmlns='http://www.pascom.net/mobydick' module='event'>${inner === '' ? '<SubscriptionList/>' : `<SubscriptionList>${inner}</SubscriptionList>`}</cmd>`;
const change = { kind: 'channel', type: 'ringing', details: '', at: 1, view: view() } as const;

describe('AddSubscription', () => {
  it('answers the effective list in canonical form, without duplicates', async () => {
    const { ask } = api();
    await ask(anna, 'event', add(subscription('base', '*')));
    const twice = subscription('queue', '*', 'user', [filter('queue', 'Support'), filter('agent', '340')]);
    expect(await ask(anna, 'event', add(subscription('base', '*', 'user'), twice, twice))).toBe(
      list(
        "<Subscription module='base' type='*' scope='user'/>" +
          "<Subscription module='queue' type='*' scope='user'>" +
          "<AttributeFilter name='agent' equals='340'/><AttributeFilter name='queue' equals='Support'/></Subscription>",
      ),
    );
  });

  it('is all or nothing', async () => {
    const { ask, sessions } = api();
    const answer = await ask(
      anna,
      'event',
      add(subscription('base', '*'), subscription('base', '*', 'supervisor')),
    );
    expect(answer).toContain("<Failure code='not-permitted'>");
    expect(sessions.size).toBe(0);
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => subscription(name, '*'));
    expect(await ask(anna, 'event', add(...many))).toContain("<Failure code='rejected'>");
    expect(sessions.size).toBe(0);
  });

  it.each([
    [add(), /^bad-request: AddSubscription: at least one element 'Subscription'/],
    [add(xml('Subscription', { type: '*' })), /^bad-request: Subscription: attribute 'module' is missing/],
    [
      add(xml('Subscription', { module: 'base', type: 'x y' })),
      /^bad-request: Subscription: attribute 'type' must be/,
    ],
    [add(subscription('base', '*', 'all')), /^bad-request: Subscription: attribute 'scope' must be/],
    [
      add(subscription('base', '*', 'user', [xml('AttributeFilter', { name: 'a' })])),
      /^bad-request: AttributeFilter/,
    ],
  ])('says what is malformed: %#', async (request, message) => {
    expect(await api().ask(anna, 'event', request)).toMatch(message);
  });

  it('needs a full JID to send events to', async () => {
    expect(await api().ask('tweber@example.org', 'event', add(subscription('base', '*')))).toMatch(
      /^bad-request: events go/,
    );
  });
});

describe('RemoveSubscription', () => {
  it('removes what is there, whatever the order of its filters, and ignores what is not', async () => {
    const { ask } = api();
    const both = [filter('queue', 'Support'), filter('agent', '340')];
    await ask(anna, 'event', add(subscription('base', '*'), subscription('queue', '*', 'user', both)));
    const answer = await ask(
      anna,
      'event',
      remove(subscription('queue', '*', undefined, both.reverse()), subscription('journal', '*')),
    );
    expect(answer).toBe(list("<Subscription module='base' type='*' scope='user'/>"));
  });

  it('succeeds without a session', async () => {
    const { ask, sessions } = api();
    expect(await ask(anna, 'event', remove(subscription('base', '*')))).toBe(list(''));
    expect(sessions.size).toBe(0);
  });
});

describe('delivery', () => {
  it('goes to a session once, however many subscriptions match', async () => {
    const { ask, tell, sent } = api();
    await ask(
      boss,
      'event',
      add(subscription('base', '*', 'supervisor'), subscription('*', '*', 'supervisor')),
    );
    tell(change);
    expect(sent).toHaveLength(1);
  });

  it('stops at once when the role is taken away', async () => {
    const { ask, tell, sent, change: replace } = api();
    await ask(boss, 'event', add(subscription('base', '*', 'supervisor')));
    tell(change);
    replace(user('boss', '320', 'Bea Boss'));
    tell(change);
    expect(sent).toHaveLength(1);
  });

  it('compares filters with child elements', async () => {
    const { ask, tell, sent } = api();
    const wants = (value: string) =>
      subscription('base', 'ChannelEvent', 'supervisor', [filter('sourceNumber', value)]);
    await ask(boss, 'event', add(wants('999')));
    tell(change);
    expect(sent).toHaveLength(0);
    await ask(boss, 'event', add(wants('370')));
    tell(change);
    expect(sent).toHaveLength(1);
  });
});
