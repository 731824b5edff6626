import { expect, test } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { createVisibility, type VisibilityOptions } from '../../src/presence/visibility.ts';
import { parseJid } from '../../src/protocol/jid.ts';
import { user } from '../modules/harness.ts';

const directory = createDirectory([
  user('anna', '340', 'Anna', { groups: new Set(['Sales']) }),
  user('bernd', '370', 'Bernd', { groups: new Set(['Sales', 'Board']) }),
  user('carla', '320', 'Carla'),
  user('boss', '300', 'Boss', { roles: new Set(['xmpp.connect', 'xmpp.supervisor']) }),
]);
const everybody = ['anna', 'bernd', 'carla', 'boss', 'guest'].map((name) => `${name}@example.org`);
const foreign = ['boss@evil.test', 'partner@example.net', 'example.org'];

/** Who of them may see Anna's telephone. */
function watchersOfAnna(options: Partial<VisibilityOptions>): string[] {
  const visibility = createVisibility({ rule: 'domain', domains: ['example.org'], list: [], ...options });
  const [anna] = directory.users;
  return [...everybody, ...foreign].filter((text) => {
    const jid = parseJid(text);
    const may = jid !== undefined && anna !== undefined && visibility.mayWatch(anna, jid, directory);
    if (may && jid) expect(visibility.mayAsk(jid)).toBe(true);
    return may;
  });
}

test('domain: everybody of the served domains, in the directory or not, and nobody else', () => {
  expect(watchersOfAnna({ rule: 'domain' })).toEqual(everybody);
});

test('group: who shares one, supervisors, and the user', () => {
  expect(watchersOfAnna({ rule: 'group' })).toEqual(
    ['anna', 'bernd', 'boss'].map((name) => `${name}@example.org`),
  );
});

test('list: who is on it, by JID or by domain, besides', () => {
  expect(watchersOfAnna({ rule: 'list', list: ['carla@example.org', 'example.net'] })).toEqual([
    'anna@example.org',
    'carla@example.org',
    'boss@example.org',
    'partner@example.net',
  ]);
});

test('strangers may not even ask', () => {
  const visibility = createVisibility({ rule: 'group', domains: ['example.org'], list: ['example.net'] });
  for (const text of foreign) {
    const jid = parseJid(text);
    expect(jid && visibility.mayAsk(jid)).toBe(false);
  }
});
