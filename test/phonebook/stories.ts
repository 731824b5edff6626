/** What users of any standard client find in the phonebook, on every server. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { slixmpp } from '../clients/slixmpp.ts';
import { openOffice, people, serverOptions } from '../legacy/office.ts';
import { runFolder } from '../servers/folders.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';

/** Tells the story on a server that `start` starts. */
export function phonebookStories(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`the phonebook on ${name}`, () => {
    test('is searched by a standard client, and knows the numbers of vCards', {
      timeout: 120_000,
    }, async () => {
      const server = await start(serverOptions);
      onTestFinished(() => server.stop());
      const folder = await runFolder('phonebook');
      onTestFinished(() => folder.remove());
      const file = join(folder.path, 'customers.csv');
      await writeFile(file, 'firstname,surname,company,phone\nAda,Kunde,Söhne & Co,+49 30 1234567\n');
      const bernd = await slixmpp(server, people.mmeyer);
      await bernd.publishCard('The King', '+49 171 7654321');

      await openOffice(server, { PHONEBOOK_FILE: file, PHONEBOOK_VCARDS: 'true' });
      const anna = await slixmpp(server, people.tweber);
      const { jid } = server.component;
      expect((await anna.disco(jid)).features).toContain('jabber:iq:search');
      expect(await anna.fields(jid)).toEqual(['FORM_TYPE', 'search', 'first', 'last', 'nick', 'email']);

      const find = (values: Record<string, string>) => anna.search(jid, values);
      expect(await find({ search: 'SOHNE ada' })).toEqual([
        expect.objectContaining({ nick: 'Ada Kunde', organisation: 'Söhne & Co', phone: '+49 30 1234567' }),
      ]);
      expect(await find({ search: '030 1234' })).toHaveLength(1);
      expect(await find({ last: 'kun' })).toHaveLength(1);
      expect(await find({ first: 'kunde' })).toEqual([]);
      expect(await find({ last: 'weber' })).toEqual([
        expect.objectContaining({ jid: 'tweber@example.test', nick: 'Thomas Weber', phone: '340' }),
      ]);
      await until(
        'the number of the vCard is found',
        async () => (await find({ search: '0171 7654321' })).length > 0,
        30,
      );
      // The number is the user's word, the name is not. COMPAT: vcard_legacy forgets that it is a mobile telephone's.
      const [max, ...others] = await find({ search: '0171 7654321' });
      expect(others).toEqual([]);
      expect(max).toMatchObject({ jid: 'mmeyer@example.test', nick: 'Max Meyer' });
      expect([max?.phone, max?.mobile].flat()).toEqual(expect.arrayContaining(['370', '+49 171 7654321']));
      expect(await find({ search: 'king' })).toEqual([]);
    });
  });
}
