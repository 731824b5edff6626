/** Stories of sessions: how they end, and how they do not. */

import { describe, expect, it } from 'vitest';
import { until } from '../servers/until.ts';
import { legacyLogin } from './legacy-client.ts';
import { COMPONENT, type Office } from './office.ts';
import { people } from './people.ts';
import { CMD_NS, subscription } from './person.ts';

const { anna, bernd } = people;

/** What the bridge makes of clients that leave. */
export function sessionStories(office: () => Office): void {
  describe('sessions', () => {
    const known = (jid: string) => {
      for (const session of office().bridge.offhook.bridge.sessions.all())
        if (session.jid === jid) return true;
      return false;
    };
    const forgotten = (jid: string) => until(`the session of ${jid} ends`, () => !known(jid), 30);

    it('a client that logs out is forgotten', async () => {
      const a = await office().comeIn(anna);
      expect(known(a.jid)).toBe(true);
      await a.leave();
      await forgotten(a.jid);
    });

    it('a client that told the component of its presence is forgotten at once', async () => {
      const a = await office().comeIn(anna);
      await a.send(`<presence to='${COMPONENT}'/>`);
      await a.leave();
      await forgotten(a.jid);
    });

    it('a client that knows no pings stays, until it has vanished', async () => {
      const old = await legacyLogin(office().xmpp, office().account(anna), 'legacy');
      const wanted = `<AddSubscription>${subscription()}</AddSubscription>`;
      const info = `<cmd xmlns='${CMD_NS}' module='xmppuser'><ClientInfo>${wanted}</ClientInfo></cmd>`;
      old.send(`<iq type='get' id='hello' to='${COMPONENT}'>${info}</iq>`);
      await until('it has its UserInfo', () => old.received().includes('UserInfo'));
      await until('it has refused some pings', () => old.refused() >= 3, 30);
      expect(known(old.jid)).toBe(true);
      await office().phone(anna).dial('600');
      await until('it is told of its call', () => old.received().includes('<ChannelEvent>'));
      old.vanish();
      await forgotten(old.jid);
    });

    it('a replaced resource keeps its subscriptions', async () => {
      const first = await office().login(anna, 'shared');
      await first.handshake();
      await first.send(`<presence to='${COMPONENT}'/>`);
      await first.command('base.FindChannels');
      const second = await office().login(anna, 'shared');
      expect(second.jid).toBe(first.jid);
      // Asked after the server has told the bridge of the end of the first one.
      await second.command('base.FindChannels');
      await office().phone(anna).dial(bernd.extension);
      await second.told('ringing');
      await office().phone(anna).hangUp();
      await second.told('hangup');
      expect(known(second.jid)).toBe(true);
    });

    it('ClientInfo again replaces the subscriptions of the session', async () => {
      const a = await office().comeIn(anna);
      const { payload } = await a.command('xmppuser.ClientInfo');
      expect(payload?.getChild('SubscriptionList')?.getChildElements()).toEqual([]);
    });
  });
}
