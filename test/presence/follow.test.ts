import { expect, test } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { createFollow, NOTES } from '../../src/presence/follow.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { xml } from '../../src/protocol/xml.ts';
import { user } from '../modules/harness.ts';
import { keepLog } from '../xmpp/setup.ts';

/** Anna's telephone follows her chat status; `asked` are the entries of the AstDB that were read. */
function following() {
  const directory = createDirectory([user('anna', '340', 'Anna')]);
  const database = new Map<string, string>();
  const asked: string[] = [];
  const gone = new Set<string>();
  const follow = createFollow({
    follows: () => true,
    directory: () => directory,
    asking: { ask: async ({ jid }) => (gone.has(jid) ? 'gone' : 'here') },
    pbx: {
      async dbGet(family, key) {
        asked.push(family);
        return database.get(`${family}/${key}`);
      },
      async dbPut(family, key, value) {
        database.set(`${family}/${key}`, value);
      },
      async dbDel(family, key) {
        database.delete(`${family}/${key}`);
      },
      queueMembers: async () => [],
      queuePause: async () => {},
    },
    doNotDisturb: {
      async readDoNotDisturb(extension) {
        asked.push('DND');
        return database.has(`DND/${extension}`);
      },
      async setDoNotDisturb(extension, on) {
        if (on) database.set(`DND/${extension}`, 'YES');
        else database.delete(`DND/${extension}`);
      },
    },
    log: keepLog(),
  });
  const to = parseJid('pbx.example.org');
  const status = (show: string, resource = 'desk', type = 'available') => {
    const from = parseJid(`anna@example.org/${resource}`);
    if (from === undefined || to === undefined) throw new Error('no JID');
    follow.take({ type, from, to, id: undefined, element: xml('presence', {}, [xml('show', {}, [show])]) });
  };
  return { status, follow, database, asked, gone };
}

test('a status that changes a thousand times asks the telephone system a few times, and the last one counts', async () => {
  const { status, follow, database, asked } = following();
  for (let count = 0; count < 1000; count += 1) status(count % 2 === 0 ? 'dnd' : 'chat');
  status('dnd');
  await follow.idle();
  expect([...database.keys()].sort()).toEqual(['DND/340', `${NOTES}/340`]);
  expect(asked.length).toBeLessThan(10);
  status('chat');
  await follow.idle();
  expect(database.size).toBe(0);
});

test('a change while the one before is carried out is not lost', async () => {
  const { status, follow, database } = following();
  for (let turns = 0; turns < 20; turns += 1) {
    status('dnd');
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    status('', 'desk', 'unavailable');
    await follow.idle();
    expect([turns, ...database.keys()]).toEqual([turns]);
  }
});

test('a client that vanished at dnd without a word counts until another one speaks', async () => {
  const { status, follow, database, gone } = following();
  status('dnd', 'old');
  await follow.idle();
  status('', 'mobile');
  await follow.idle();
  expect(database.get('DND/340')).toBe('YES');
  gone.add('anna@example.org/old');
  status('', 'mobile');
  await follow.idle();
  expect(database.size).toBe(0);
});
