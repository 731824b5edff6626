/** That somebody is on the phone, published as user activity (XEP-0108) on servers that grant it. */

import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { find } from '../xmpp/tree.ts';
import { DOMAIN, open, people, serverOptions } from './office.ts';

/** Runs the suite on a server that `start` starts, with the right to publish in its users' names. */
export function activityContract(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`user activity on ${name}`, () => {
    test('says that somebody is on the phone, and that it is over', async () => {
      const server = await start({ ...serverOptions, privilege: true });
      onTestFinished(() => server.stop());
      const office = await open(server, { PRESENCE_ACTIVITY: 'true' });
      const anna = await office.login(people.anna);
      const published = async () => {
        const items = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/activity'/></pubsub>`;
        const answer = await anna.ask(`anna@${DOMAIN}`, items);
        const item = find(find(find(find(answer, 'pubsub'), 'items'), 'item'), 'activity');
        return (
          item && (find(find(item, 'talking'), 'on_the_phone') === undefined ? 'nothing' : 'on the phone')
        );
      };
      office.asterisk.phone('340').call('600');
      await until('it is published', async () => (await published()) === 'on the phone');
      office.asterisk.phone('340').hangup();
      await until('it is over', async () => (await published()) === 'nothing');
      office.asterisk.phone('340').call('600');
      await until('it is published again', async () => (await published()) === 'on the phone');
      await office.stop();
      expect(await published()).toBe('nothing');
    });
  });
}
