/** Stories of what survives: a restart of the bridge, of Redis, of the XMPP server. */

import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../servers/until.ts';
import type { Office } from './office.ts';
import { parkedMeanwhile } from './parking.ts';
import { people } from './people.ts';
import { type Person, subscription } from './person.ts';
import type { Stories } from './stories.ts';

const { anna, bernd } = people;

/** Anna calls Bernd, he answers, she hangs up. */
async function call(office: Office, ...told: readonly Person[]): Promise<void> {
  const before = told.map(({ events }) => events.length);
  await office.phone(anna).dial(bernd.extension);
  await office.phone(bernd).answer();
  await office.phone(anna).talks();
  await office.phone(anna).hangUp();
  for (const [index, person] of told.entries()) {
    await person.toldTimes((before[index] ?? 0) + 3);
    const types = person.events.slice(before[index]).map(({ eventType }) => eventType);
    expect(types).toEqual(['ringing', 'busy', 'hangup']);
  }
}

/** The subscriptions that Redis has for this JID, as text. */
async function stored(office: Office, jid: string): Promise<string> {
  const client = new Redis(office.redis.url);
  try {
    const found: string[] = [];
    for (const key of await client.keys('offhook:*')) {
      if ((await client.type(key)) === 'hash') found.push((await client.hget(key, jid)) ?? '');
    }
    return found.join('');
  } finally {
    client.disconnect();
  }
}

/** Needs an office with Redis. */
export const restartStories: Stories = (office) => {
  afterEach(() => office().bridge.isReady());

  describe('the bridge', () => {
    it('restarted: sessions go on being told without another word', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().bridge.restart();
      await call(office(), a, b);
      const info = await a.command('xmppuser.FindUserInfo');
      expect(info.payload?.getChild('SubscriptionList')?.getChildElements()).toHaveLength(1);
    });

    it('restarted in mid-call: the end of the call is told', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().phone(anna).dial(bernd.extension);
      await office().phone(bernd).answer();
      const { eventId } = await a.told('busy');
      await office().bridge.restart();
      await office().phone(bernd).hangUp();
      for (const person of [a, b]) {
        await person.told('hangup');
        expect(person.events.at(-1)).toMatchObject({ eventType: 'hangup', eventDetails: 'normal' });
      }
      expect(a.events.at(-1)).toMatchObject({ eventId, targetNumber: bernd.extension, internal: 'true' });
    });
  });

  it('restarted while a parked call ends: who parked it and who was parked hear of it', () =>
    parkedMeanwhile(office()));

  describe('Redis', () => {
    it('killed in mid-call: events go on from memory, and what changed meanwhile is kept', async () => {
      const [a, b] = [await office().comeIn(anna), await office().comeIn(bernd)];
      await office().phone(anna).dial(bernd.extension);
      await office().phone(bernd).answer();
      await Promise.all([a.told('busy'), b.told('busy')]);
      await office().redis.kill();
      await until('the bridge notices', () => !office().bridge.readiness.ready);
      expect(await b.command('event.RemoveSubscription', {}, [subscription()])).toMatchObject({
        name: 'SubscriptionList',
      });
      await b.command('event.AddSubscription', {}, [
        subscription({ type: 'ChannelEvent' }, { eventType: 'busy' }),
      ]);
      const late = await office().comeIn(anna);
      await office().phone(anna).hangUp();
      await Promise.all([a.told('hangup'), late.told('hangup')]);

      await office().redis.restart();
      await office().bridge.isReady();
      await until('Redis has what changed', async () => (await stored(office(), b.jid)).includes('busy'));
      await until('Redis has who came', async () => (await stored(office(), late.jid)) !== '');
      await office().bridge.restart();
      const before = b.events.length;
      await call(office(), a, late);
      expect(b.events.slice(before).map(({ eventType }) => eventType)).toEqual(['busy']);
    });

    it('away while the bridge starts: the sessions come with it', async () => {
      const a = await office().comeIn(anna);
      await office().bridge.stop();
      await office().redis.restart();
      await office().redis.kill();
      // Nothing is stored any more: a crash without a snapshot. The bridge starts all the same, and serves.
      await office().bridge.start();
      expect(await a.command('base.FindChannels')).toMatchObject({ name: 'ChannelList' });
      await a.handshake();
      await office().redis.restart();
      await office().bridge.isReady();
      await until('Redis has the session', async () => (await stored(office(), a.jid)) !== '');
      await call(office(), a);
    });
  });

  describe('the XMPP server', () => {
    it('restarted: the bridge comes back, and who logs in as before is told as before', async () => {
      const a = await office().login(anna, 'steady');
      await a.handshake();
      await office().xmpp.restart();
      await office().bridge.isReady();
      const again = await office().login(anna, 'steady');
      expect(again.jid).toBe(a.jid);
      await call(office(), again);
    });
  });
};
