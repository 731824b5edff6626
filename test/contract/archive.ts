/** What the module archive must find on every XMPP server that keeps its archive in SQL, written by real clients. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Archive } from '../../src/archive/archive.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import type { XmppOptions, XmppServer } from '../servers/xmpp.ts';
import { login } from '../xmpp/client.ts';

const people = [
  { name: 'tweber', password: 'one' },
  { name: 'mmeyer', password: 'two' },
  { name: 'boss', password: 'three' },
] as const;

/** Declares the suite. `start` starts a server, and opens its archive. */
export function archiveContract(
  name: string,
  start: (options: XmppOptions) => Promise<{ server: XmppServer; archive: Archive }>,
): void {
  describe(`the archive of ${name}`, () => {
    let server: XmppServer;
    let archive: Archive;
    beforeAll(async () => {
      const component = { jid: 'pbx.example.org', secret: 'secret' };
      ({ server, archive } = await start({ domain: 'example.org', users: people, component }));
    });
    afterAll(async () => {
      await archive?.stop();
      await server?.stop();
    });
    const find = (who: string, query: string, parts: Readonly<Record<string, string>> = {}) =>
      api({ archive }).ask(
        `${who}@example.org/x`,
        'archive',
        xml(
          'FindEntries',
          {},
          Object.entries({ fromdate: '2000-01-01', query, ...parts }).map(([key, value]) =>
            xml(key, {}, [value]),
          ),
        ),
      );
    const bodies = (answer: string) => [...answer.matchAll(/<body>([^<]*)<\/body>/g)].map(([, body]) => body);

    test('has what people wrote to each other, for the two of them alone', async () => {
      const [anna, max] = [await login(server, people[0], 'a'), await login(server, people[1], 'b')];
      const boss = await login(server, people[2], 'c');
      const say = (from: typeof anna, to: string, content: string) =>
        from.send(`<message to='${to}@example.org' type='chat'>${content}</message>`);
      await say(anna, 'mmeyer', '<body>Mittag: Grüße &amp; 50%_Rabatt?</body>');
      // Two connections have no order between them.
      await until('hers is archived', async () => bodies(await find('tweber', 'mittag')).length === 1);
      await say(max, 'tweber', "<body>MITTAG passt, it's fine</body>");
      await say(max, 'tweber', "<received xmlns='urn:xmpp:receipts' id='1'/><store xmlns='urn:xmpp:hints'/>");
      await say(
        max,
        'tweber',
        "<body>Mittag: this message is encrypted</body><encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted><store xmlns='urn:xmpp:hints'/>",
      );
      await say(boss, 'mmeyer', '<body>Mittag mit dem Chef</body>');
      await until('all is archived', async () => bodies(await find('mmeyer', 'mittag')).length === 3);

      expect(bodies(await find('tweber', 'mittag'))).toEqual([
        'Mittag: Grüße &amp; 50%_Rabatt?',
        'MITTAG passt, it&apos;s fine',
      ]);
      expect(bodies(await find('boss', 'mittag'))).toEqual(['Mittag mit dem Chef']);
      expect(bodies(await find('mmeyer', 'Mittag', { participant: 'boss@example.org' }))).toEqual([
        'Mittag mit dem Chef',
      ]);
      for (const query of ['GRÜSSE'.replace('SS', 'ß'), 'grüße & 50', '50%_', "it's"]) {
        expect([query, bodies(await find('tweber', query)).length]).toEqual([query, 1]);
      }
      for (const query of ['50%R', '50__R', '%%%', '___', "x' OR '1'='1", 'encrypted']) {
        expect([query, bodies(await find('tweber', query))]).toEqual([query, []]);
      }
      const answer = await find('tweber', 'mittag');
      expect(answer).toMatch(/from='tweber@example.org' to='mmeyer@example.org'/);
      expect(answer).toMatch(/from='mmeyer@example.org' to='tweber@example.org'/);
      expect(new Set([...answer.matchAll(/conversationid='([^']+)'/g)].map(([, id]) => id)).size).toBe(1);
      const stamp = /timestamp='([^']+)'/.exec(answer)?.[1] ?? '';
      expect(Math.abs(Date.parse(stamp) - Date.now())).toBeLessThan(300_000);
      expect(bodies(await find('tweber', 'mittag', { todate: '2000-01-02' }))).toEqual([]);
      const days = await api({ archive }).ask(
        'tweber@example.org/x',
        'archive',
        xml('FindDates', {}, [xml('query', {}, ['mittag'])]),
      );
      expect(bodies(days)).toEqual(['Mittag: Grüße &amp; 50%_Rabatt?']);
    });

    test('goes on being written while it is read', async () => {
      const [anna] = [await login(server, people[0], 'a')];
      const reading = Array.from({ length: 10 }, () => find('tweber', 'nobody wrote this'));
      for (let count = 0; count < 20; count += 1) {
        await anna.send(
          `<message to='boss@example.org' type='chat'><body>while reading ${count}</body></message>`,
        );
      }
      for (const answer of await Promise.all(reading)) expect(answer).toContain('<ArchiveEntryList/>');
      await until('all are archived', async () => bodies(await find('boss', 'while reading')).length === 20);
    });
  });
}
