import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explainCommand } from '../src/cli/explain.ts';

const file = join(import.meta.dirname, '../deploy/users.example.yaml');

async function explain(...args: string[]) {
  const lines: string[] = [];
  const code = await explainCommand(
    ['--directory', file, '--at', '2026-07-01T10:00:00Z', ...args],
    { PBX_CONTEXT: 'office' },
    (line) => lines.push(line),
  );
  return { code, lines };
}

it('says what would happen', async () => {
  const { code, lines } = await explain('tweber@example.org', 'base.Dial', 'target=370');
  expect(code).toBe(0);
  expect(lines).toEqual([
    'tweber@example.org is Thomas Weber (tweber, 340), xmpp.connect, groups Sales',
    expect.stringMatching(
      /^would ask the telephone system: originate .*"device":"PJSIP\/340".*"context":"office","exten":"370"/,
    ),
    'allowed',
  ]);
});

it.each([
  [
    ['tweber@example.org', 'base.Dial', 'target=0900123'],
    /^refused \(not-permitted\): You are not allowed to dial 0900123 \(rule 0900\.\)/,
  ],
  [['tweber@example.org', 'base.Dial', 'target=1;2'], /^refused \(invalid-target\)/],
  [
    ['maria.meyer@example.org', 'base.DialFrom', 'identity=tweber', 'target=370'],
    /^refused \(not-available\)/,
  ],
  [
    ['tweber@example.org', 'base.DialFrom', 'identity=tweber', 'target=370'],
    /^refused \(not-permitted\): base\.DialFrom needs the role/,
  ],
  [['nobody@example.org', 'base.Dial', 'target=370'], /^refused \(not-authorized\)/],
  [['tweber@example.org', 'base.Dance'], /^refused \(feature-not-implemented\)/],
])('%j is refused, with the reason', async (args, reason) => {
  const { code, lines } = await explain(...args);
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(reason);
  expect(lines.join()).not.toContain('would ask');
});

it('knows the hour', async () => {
  const args = ['--directory', file, '--at', '2026-07-01T22:30:00Z', 'tweber@example.org', 'base.Dial'];
  const lines: string[] = [];
  expect(await explainCommand([...args, 'target=0123456'], {}, (line) => lines.push(line))).toBe(1);
  expect(lines.at(-1)).toContain('From 22:00 to 06:00');
  expect(await explainCommand([...args, 'target=112'], {}, () => {})).toBe(0);
});

it.each([
  [['tweber@example.org']],
  [['tweber@example.org', 'Dial']],
  [['tweber@example.org', 'base.Dial', 'target']],
])('says how it is used: %j', async (args) => {
  await expect(explain(...args)).rejects.toThrow(/^explain: /);
});
