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

describe.each(['json', 'pretty'] as const)('what others chose, in %s', (format) => {
  // Clears the screen, colours it (C1), turns the direction of writing, and forges a line.
  const evil = 'name\u001B[2J\u009B31m\u202Egpj\u2028\r\n[00:00:00] INFO: forged\u0007\0\u007F';
  const harmful = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/;

  test('cannot steer the terminal or forge a line', () => {
    const { lines, destination } = capture();
    const log = createLog({ level: 'info', format, secrets: [], destination });
    log.info({ from: evil, list: [{ evil }] }, `store: ${evil}`);
    log.error({ err: new Error(evil) }, 'failed');
    const text = lines.join('');
    expect(text).not.toMatch(harmful);
    expect(text).not.toMatch(/^\[00:00:00\] INFO: forged/m);
    expect(text).toContain('name');
  });

  test('stays readable where it is harmless', () => {
    const { lines, destination } = capture();
    createLog({ level: 'info', format, secrets: [], destination }).info('Jörg "Ö" \\ 木 🎉');
    const text = lines.join('');
    expect(format === 'json' ? JSON.parse(text).msg : text).toContain('Jörg "Ö" \\ 木 🎉');
  });
});

test('a stack keeps its lines on a terminal', () => {
  const { lines, destination } = capture();
  createLog({ level: 'info', format: 'pretty', secrets: [], destination }).error(
    { err: new Error('x') },
    'y',
  );
  expect(lines.join('')).toMatch(/Error: x\n +at /);
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
