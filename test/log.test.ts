import { describe, expect, test } from 'vitest';
import { createLog, maskNumber, numberShower } from '../src/log.ts';

function capture(isTTY = false) {
  const lines: string[] = [];
  return { lines, destination: { isTTY, write: (line: string) => void lines.push(line) } };
}

describe('format', () => {
  test('json: one object a line, level in words, time in ISO 8601', () => {
    const { lines, destination } = capture();
    createLog({ level: 'info', format: 'auto', secrets: [], destination }).info({ sessions: 3 }, 'ready');
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({
      level: 'info',
      msg: 'ready',
      sessions: 3,
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test('auto is readable on a terminal, and written before the call returns', () => {
    const { lines, destination } = capture(true);
    createLog({ level: 'info', format: 'auto', secrets: [], destination }).warn({ sessions: 3 }, 'ready');
    expect(lines.join('')).toMatch(/WARN.*ready/);
    expect(lines.join('')).toMatch(/sessions.*3/);
  });

  test('lower levels are left out', () => {
    const { lines, destination } = capture();
    createLog({ level: 'warn', format: 'json', secrets: [], destination }).info('not told');
    expect(lines).toEqual([]);
  });
});

describe.each(['json', 'pretty'] as const)('secrets in %s', (format) => {
  const secret = 'p"ss\\word';

  test('are out of fields named so', () => {
    const { lines, destination } = capture();
    const log = createLog({ level: 'info', format, secrets: [], destination });
    log.info({ secret: 'hush-1', login: { Secret: 'hush-2', password: 'hush-3' } }, 'login');
    expect(lines.join('')).not.toContain('hush');
  });

  test('are out of messages, errors and nested fields', () => {
    const { lines, destination } = capture();
    const log = createLog({ level: 'info', format, secrets: [secret, 'abc'], destination });
    log.info(`said ${secret} aloud, abc`);
    log.error(
      { err: new Error(`cannot log in with ${secret}`), deep: { er: { still: [secret] } } },
      'failed',
    );
    const text = lines.join('');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
    expect(text.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(4);
    // Too short to be replaced without tearing words apart.
    expect(text).toContain('abc');
  });
});

describe('numbers', () => {
  test.each([
    ['+4930123456', '+********56'],
    ['340', '***'],
    ['0340', '****'],
    ['03401', '***01'],
    ['anonymous', 'anonymous'],
    ['', ''],
  ])('%s is shown as %s', (number, shown) => {
    expect(maskNumber(number)).toBe(shown);
    expect(numberShower(true)(number)).toBe(shown);
    expect(numberShower(false)(number)).toBe(number);
  });
});
