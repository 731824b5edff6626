/** What users of any standard client can do, on every server. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOffice, people, serverOptions } from '../legacy/office.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { slixmpp } from './slixmpp.ts';

/** Tells the stories on a server that `start` starts. */
export function clientStories(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`slixmpp on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await start(serverOptions);
    });
    afterAll(() => server?.stop());

    test('logs in, discovers the bridge and pings it', async () => {
      await openOffice(server);
      const client = await slixmpp(server, people.tweber);
      expect(client.jid).toMatch(/^tweber@example\.test\/./);
      const { identities, features } = await client.disco(server.component.jid);
      expect(identities).toEqual(['component generic Telephone system']);
      expect(features).toContain('http://www.pascom.net/mobydick');
      expect(features).toContain('urn:xmpp:ping');
      await client.ping(server.component.jid);
      await expect(client.ping(`${people.mmeyer.name}@${server.domain}/nobody`)).rejects.toThrow(
        'service-unavailable',
      );
    });

    test('sees its contacts come and go', async () => {
      await openOffice(server);
      const [anna, bernd] = [await slixmpp(server, people.tweber), await slixmpp(server, people.mmeyer)];
      const his = bernd.jid.split('/');
      await anna.add(`${his[0]}`);
      const shown = () => anna.contact(`${his[0]}`)?.resources[`${his[1]}`];
      await until('she sees him', () => shown() !== undefined);
      expect(shown()).toEqual({ show: '', status: '' });
      await bernd.stop();
      await until('she sees him leave', () => shown() === undefined);
    });
  });
}
