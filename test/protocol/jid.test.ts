import { describe, expect, it } from 'vitest';
import { bareOf, fullJid, parseJid } from '../../src/protocol/jid.ts';

describe('parseJid', () => {
  it.each([
    ['TWeber@Example.ORG/Desk', 'tweber', 'example.org', 'Desk', 'tweber@example.org'],
    ['pbx.example.org', '', 'pbx.example.org', '', 'pbx.example.org'],
    ['a@b/c@d/e', 'a', 'b', 'c@d/e', 'a@b'],
    ['müller@example.org', 'müller', 'example.org', '', 'müller@example.org'],
  ])('takes %s apart', (text, local, domain, resource, bare) => {
    expect(parseJid(text)).toEqual({ local, domain, resource, bare });
  });

  it.each([
    '',
    '@example.org',
    'a@',
    'a@b/',
    'a b@example.org',
    'a@exa mple',
    "a'@b",
    'a\r\n@b',
    `${'a'.repeat(1024)}@b`,
  ])('refuses %j', (text) => expect(parseJid(text)).toBeUndefined());

  it('knows full JIDs', () => {
    const jid = parseJid('a@b/c');
    const full = jid && fullJid(jid);
    expect(full).toBe('a@b/c');
    expect(full && bareOf(full)).toBe('a@b');
    const bare = parseJid('a@b');
    expect(bare && fullJid(bare)).toBeUndefined();
  });
});
