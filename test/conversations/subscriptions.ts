/** Stories of subscriptions: who is told what. */

import { describe, expect, it } from 'vitest';
import { expectWholeStories } from './expected.ts';
import type { Office } from './office.ts';
import { people } from './people.ts';
import { type Answer, type Person, subscription } from './person.ts';

const { anna, bernd, carla } = people;

/** A `SubscriptionList`, without the filters. */
function listed({ payload }: Answer) {
  return payload?.getChildElements().map(({ attrs: { module, type, scope } }) => ({ module, type, scope }));
}

/** Module `event`. */
export function subscriptionStories(office: () => Office): void {
  describe('subscriptions', () => {
    /** Anna calls Bernd, he answers, she hangs up; `told` is who must have heard the end. */
    async function call(...told: readonly Person[]): Promise<void> {
      await office().phone(anna).dial(bernd.extension);
      await office().phone(bernd).answer();
      await office().phone(anna).talks();
      await office().phone(anna).hangUp();
      for (const person of told) await person.told('hangup');
    }
    const types = (person: Person) => person.events.map(({ eventType }) => eventType);

    it('users hear of their own calls only, and only where they subscribed', async () => {
      const [a, b, c] = [
        await office().comeIn(anna),
        await office().comeIn(bernd),
        await office().comeIn(carla),
      ];
      const silent = await office().login(anna);
      await silent.command('xmppuser.ClientInfo');
      await call(a, b);
      expect(new Set(a.events.map(({ device }) => device))).toEqual(new Set(['Desk 340']));
      expect(new Set(b.events.map(({ device }) => device))).toEqual(new Set(['Desk 370']));
      // Asked last, both would have been told by now.
      await silent.command('base.FindChannels');
      await c.command('base.FindChannels');
      expect(c.events).toEqual([]);
      expect(silent.events).toEqual([]);
    });

    it('two clients of one user are both told, each once', async () => {
      const [desk, laptop] = [await office().comeIn(anna), await office().comeIn(anna)];
      await desk.command('event.AddSubscription', {}, [subscription({ type: 'ChannelEvent' })]);
      await desk.command('event.AddSubscription', {}, [subscription({ module: '*' })]);
      await call(desk, laptop);
      expect(types(desk)).toEqual(['ringing', 'busy', 'hangup']);
      expect(desk.events).toEqual(laptop.events);
    });

    it('filters narrow a subscription, and all of them must match', async () => {
      const a = await office().login(anna);
      await a.handshake(
        subscription({ type: 'ChannelEvent' }, { eventType: 'hangup', targetNumber: bernd.extension }),
        subscription({ type: 'ChannelEvent' }, { eventType: 'ringing', targetNumber: '999' }),
      );
      await call(a);
      expect(types(a)).toEqual(['hangup']);
    });

    it('AddSubscription and RemoveSubscription answer with the whole list, in canonical form', async () => {
      const a = await office().login(anna);
      await a.command('xmppuser.ClientInfo');
      const filtered = subscription({ type: 'ChannelEvent' }, { targetNumber: '370', eventType: 'ringing' });
      const same = subscription({ type: 'ChannelEvent' }, { eventType: 'ringing', targetNumber: '370' });
      const added = await a.command('event.AddSubscription', {}, [
        subscription(),
        filtered,
        same,
        subscription(),
      ]);
      expect(added.name).toBe('SubscriptionList');
      expect(listed(added)).toEqual([
        { module: 'base', type: '*', scope: 'user' },
        { module: 'base', type: 'ChannelEvent', scope: 'user' },
      ]);
      const removed = await a.command('event.RemoveSubscription', {}, [
        same,
        subscription({ module: 'queue', type: 'QueueJoinEvent' }),
      ]);
      expect(listed(removed)).toEqual([{ module: 'base', type: '*', scope: 'user' }]);
      await a.command('event.RemoveSubscription', {}, [subscription()]);
      await call();
      await a.command('base.FindChannels');
      expect(a.events).toEqual([]);
    });

    it('a supervisor’s scope is for supervisors, and a refusal adds nothing', async () => {
      const a = await office().login(anna);
      const mixed = [subscription(), subscription({ scope: 'supervisor' })];
      expect(await a.handshake(...mixed)).toMatchObject({ name: 'Failure', code: 'not-permitted' });
      expect(await a.command('event.AddSubscription', {}, mixed)).toMatchObject({ code: 'not-permitted' });
      const c = await office().login(carla);
      await c.handshake(subscription({ scope: 'supervisor' }));
      await call(c);
      await c.toldTimes(6);
      expectWholeStories(c.events);
      expect(a.events).toEqual([]);
    });
  });
}
