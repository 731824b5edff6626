/** What clients of the original system can do, on every server that delegates: they know nothing of a component. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { find, type Tree, textIn } from '../xmpp/tree.ts';
import { type LegacyClient, legacyClient } from './client.ts';
import { openOffice, people, serverOptions } from './office.ts';

/** Tells the stories on a server that `start` starts. */
export function legacyStories(name: string, start: (options: XmppOptions) => Promise<XmppServer>): void {
  describe(`a client of the original system on ${name}`, () => {
    let server: XmppServer;
    beforeAll(async () => {
      server = await start(serverOptions);
    });
    afterAll(() => server?.stop());

    const named = (client: LegacyClient, name: string) =>
      client.events().filter((event) => event.name === name);
    const types = (client: LegacyClient) =>
      named(client, 'ChannelEvent').map((event) => textIn(find(event, 'eventType')));
    const hears = (client: LegacyClient, type: string) =>
      until(`${client.jid} hears ${type}`, () => types(client).includes(type), 20);
    const isSuccess = (answer: Tree) => [answer.name, textIn(find(answer, 'message'))];

    test('logs in, looks at its journal, dials, answers and hangs up by its telephone', async () => {
      const { offhook, asterisk } = await openOffice(server);
      const anna = await legacyClient(server, people.tweber);
      const shown = await anna.announce();
      expect(shown).toEqual({
        name: 'tweber',
        fullName: 'Thomas Weber',
        extension: '340',
        device: 'Snom 340',
      });
      expect(offhook.bridge.sessions.size).toBe(1);
      expect((await anna.command('journal', '<FindOwn limit="30"/>')).name).toBe('JournalList');
      await anna.appear();
      const bernd = await legacyClient(server, people.mmeyer);
      const his = await bernd.announce();
      await bernd.appear();

      expect(isSuccess(await anna.command('base', '<Dial target="370" prefix="auto"/>'))).toEqual([
        'Success',
        'Ok',
      ]);
      // Her telephone rings first; its key is pressed from afar.
      await until('her telephone rings', () => asterisk.phone('340').state()[0]?.state === 'ringing');
      const key = `<Offhook device="${shown.device}"/>`;
      expect(isSuccess(await anna.command('phone', key))).toEqual(['Success', 'Ok']);
      expect(asterisk.phone('340').notified).toEqual(['talk']);
      await hears(bernd, 'ringing');
      expect(isSuccess(await bernd.command('phone', `<Offhook device="${his.device}"/>`))).toEqual([
        'Success',
        'Ok',
      ]);
      await Promise.all([hears(anna, 'busy'), hears(bernd, 'busy')]);
      expect(isSuccess(await anna.command('phone', `<Hangup device="${shown.device}"/>`))).toEqual([
        'Success',
        'Ok',
      ]);
      await Promise.all([hears(anna, 'hangup'), hears(bernd, 'hangup')]);
      expect(types(bernd)).toEqual(['ringing', 'busy', 'hangup']);
      // It has asked for the events of the journal as well, and finds the call there.
      await until('the call is entered', () => named(bernd, 'JournalEntry').length > 0, 20);
      const journal = await bernd.command('journal', '<FindOwn limit="30"/>');
      const entries = journal.children.filter((child) => typeof child !== 'string');
      expect(entries.map((entry) => [textIn(find(entry, 'result')), textIn(find(entry, 'number'))])).toEqual([
        ['hangup', '340'],
      ]);
    });

    test('a number from outside gets the prefix, and what fails says so inside a result', async () => {
      const { asterisk } = await openOffice(server);
      const anna = await legacyClient(server, people.tweber);
      await anna.announce();
      await anna.command('base', '<Dial target="0891234567" prefix="auto"/>');
      const originate = asterisk.actions.find((action) => action.name === 'Originate');
      expect(originate?.header('Exten')).toBe('00891234567');
      const refused = await anna.command('phone', '<Hangup device="Snom 370"/>');
      expect([refused.name, refused.attrs.code]).toEqual(['Failure', 'no-device']);
      const unknown = await anna.command('nothing', '<Here/>');
      expect([unknown.name, find(unknown, 'feature-not-implemented')?.name]).toEqual([
        'error',
        'feature-not-implemented',
      ]);
    });

    test('that ends without a word loses its session; another of the same user does not', async () => {
      const { offhook } = await openOffice(server);
      const sessions = () => [...offhook.bridge.sessions.all()].map(({ jid }): string => jid);
      const first = await legacyClient(server, people.tweber);
      await first.announce();
      const other = await legacyClient(server, people.tweber, { resource: 'other' });
      await other.announce();
      first.send(`<presence to='${server.component.jid}'/>`);
      await first.leave();
      await until('its session is ended', () => !sessions().includes(first.jid));
      expect(sessions()).toEqual([other.jid]);
    });
  });
}
