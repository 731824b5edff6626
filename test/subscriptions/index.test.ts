import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BareJid, FullJid } from '../../src/protocol/jid.ts';
import { createSubscriptionIndex, type Matchable } from '../../src/subscriptions/index.ts';
import type { Subscription } from '../../src/subscriptions/subscription.ts';

const anna = 'anna@example.org' as BareJid;
const bernd = 'bernd@example.org' as BareJid;
const session = (user: BareJid, resource: string) => `${user}/${resource}` as FullJid;

function subscription(
  module: string,
  type: string,
  scope: 'user' | 'supervisor' = 'user',
  filters: Record<string, string> = {},
): Subscription {
  return {
    module,
    type,
    scope,
    filters: Object.entries(filters).map(([name, equals]) => ({ name, equals })),
  };
}

function happening(
  module: string,
  type: string,
  concerns: BareJid[],
  values: Record<string, string[]> = {},
): Matchable {
  return { module, type, concerns: concerns.map((jid) => ({ jid })), values: (name) => values[name] ?? [] };
}

function visited(
  index: ReturnType<typeof createSubscriptionIndex>,
  event: Matchable,
  supervisors: BareJid[] = [],
): string[] {
  const seen: string[] = [];
  index.forEach(
    event,
    (user) => supervisors.includes(user),
    (each) => seen.push(each),
  );
  return seen;
}

describe('the subscription index', () => {
  it('tells the users an event concerns, and only those who want it', () => {
    const index = createSubscriptionIndex();
    index.set(session(anna, 'desk'), anna, [subscription('base', '*')]);
    index.set(session(anna, 'phone'), anna, [subscription('journal', '*')]);
    index.set(session(bernd, 'desk'), bernd, [subscription('*', '*')]);
    expect(visited(index, happening('base', 'ChannelEvent', [anna]))).toEqual([session(anna, 'desk')]);
  });

  it('visits a session once, however many subscriptions match', () => {
    const index = createSubscriptionIndex();
    const many = [
      subscription('base', '*'),
      subscription('*', 'ChannelEvent'),
      subscription('base', '*', 'supervisor'),
    ];
    index.set(session(anna, 'desk'), anna, [...many, ...many]);
    expect(index.size).toBe(3);
    expect(visited(index, happening('base', 'ChannelEvent', [anna, anna]), [anna])).toEqual([
      session(anna, 'desk'),
    ]);
  });

  it('visits those first whom it concerns, in the order in which they came, then those who hear of everybody', () => {
    const index = createSubscriptionIndex();
    index.set(session(bernd, 'boss'), bernd, [subscription('base', '*', 'supervisor')]);
    for (const resource of ['a', 'b', 'c'])
      index.set(session(anna, resource), anna, [subscription('base', '*')]);
    const event = happening('base', 'ChannelEvent', [anna]);
    const order = (...resources: string[]) => [
      ...resources.map((each) => session(anna, each)),
      session(bernd, 'boss'),
    ];
    expect(visited(index, event, [bernd])).toEqual(order('a', 'b', 'c'));
    index.delete(session(anna, 'b'));
    expect(visited(index, event, [bernd])).toEqual(order('a', 'c'));
    index.delete(session(anna, 'a'));
    index.set(session(anna, 'd'), anna, [subscription('base', '*')]);
    expect(visited(index, event, [bernd])).toEqual(order('c', 'd'));
  });

  it('asks for the role at every event', () => {
    const index = createSubscriptionIndex();
    index.set(session(anna, 'desk'), anna, [subscription('base', 'ChannelEvent', 'supervisor')]);
    const event = happening('base', 'ChannelEvent', [bernd]);
    expect(visited(index, event, [anna])).toEqual([session(anna, 'desk')]);
    expect(visited(index, event, [])).toEqual([]);
  });

  it('needs every filter of a subscription to match', () => {
    const index = createSubscriptionIndex();
    const wants = subscription('queue', '*', 'supervisor', { queue: 'Support', agent: '340' });
    index.set(session(anna, 'desk'), anna, [wants]);
    const event = (values: Record<string, string[]>) => happening('queue', 'QueueMemberState', [], values);
    expect(visited(index, event({ queue: ['Support'], agent: ['340'] }), [anna])).toHaveLength(1);
    expect(visited(index, event({ queue: ['Support'], agent: ['370'] }), [anna])).toHaveLength(0);
    expect(visited(index, event({ queue: ['Sales'], agent: ['340'] }), [anna])).toHaveLength(0);
  });

  it('answers as a plain scan would, and is empty when everybody has gone', () => {
    const name = fc.constantFrom('base', 'queue', '*');
    const filter = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'), { maxKeys: 2 });
    const wish = fc
      .tuple(name, name, fc.constantFrom('user' as const, 'supervisor' as const), filter)
      .map(([module, type, scope, filters]) => subscription(module, type, scope, filters));
    const users = [anna, bernd];
    const people = fc.array(
      fc.tuple(fc.constantFrom(...users), fc.constantFrom('x', 'y'), fc.array(wish, { maxLength: 4 })),
    );
    const events = fc.tuple(
      fc.constantFrom('base', 'queue'),
      fc.constantFrom('base', 'queue'),
      fc.subarray(users),
      filter,
    );
    fc.assert(
      fc.property(
        people,
        events,
        fc.subarray(users),
        (sessions, [module, type, concerns, values], supervisors) => {
          const index = createSubscriptionIndex();
          const truth = new Map<FullJid, readonly Subscription[]>();
          for (const [user, resource, wishes] of sessions) {
            index.set(session(user, resource), user, wishes);
            truth.set(session(user, resource), wishes);
          }
          const expected = [...truth].filter(([jid, wishes]) => {
            const user = users.find((each) => jid.startsWith(`${each}/`));
            return wishes.some(
              (each) =>
                (each.module === module || each.module === '*') &&
                (each.type === type || each.type === '*') &&
                each.filters.every((one) => values[one.name] === one.equals) &&
                user !== undefined &&
                (each.scope === 'user' ? concerns : supervisors).includes(user),
            );
          });
          const lists = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [value]]));
          const seen = visited(index, happening(module, type, concerns, lists), supervisors);
          expect(seen.sort()).toEqual(expected.map(([jid]) => jid).sort());
          for (const jid of truth.keys()) index.delete(jid);
          expect(index.size).toBe(0);
          expect(visited(index, happening(module, type, users), users)).toEqual([]);
        },
      ),
    );
  });
});
