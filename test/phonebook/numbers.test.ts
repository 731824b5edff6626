import { describe, expect, it } from 'vitest';
import { createNumbers } from '../../src/phonebook/numbers.ts';

const german = createNumbers('DE', '0');

describe('keys of numbers', () => {
  it.each([
    '+49 30 1234567',
    '+49 (0)30 1234567',
    '0049 30 1234567',
    '030/123 45-67',
    '(030) 1234567',
    '4930 1234567',
    '301234567',
  ])('%s is the same in all ways of writing it', (written) => {
    expect(german.key(written)).toBe('49301234567');
  });

  it.each([
    ['340', '340'],
    ['*100', '*100'],
    ['030 1', '49301'],
    ['110', '110'],
    ['+1 (212) 555-0100', '12125550100'],
    ['0039 06 12345678', '390612345678'],
    ['04930 123456', '494930123456'],
    ['anonymous', ''],
    ['', ''],
  ])('%s is %s', (written, key) => {
    expect(german.key(written)).toBe(key);
  });

  it('reads numbers as the country does', () => {
    expect(createNumbers('US', '').key('(212) 555-0100')).toBe('12125550100');
    expect(createNumbers('US', '').key('1 212 555 0100')).toBe('12125550100');
    // The zero belongs to the number.
    expect(createNumbers('IT', '').key('06 1234 5678')).toBe('390612345678');
    expect(createNumbers('CH', '').key('044 123 45 67')).toBe('41441234567');
    expect(createNumbers('HU', '').key('06 1 234 5678')).toBe('3612345678');
  });

  it('knows what a number on the line may stand for', () => {
    expect(german.keys('0030 123456')).toContain('4930123456');
    // An area code that looks like the country's.
    expect(german.keys('4930123456')).toEqual(['4930123456', '494930123456']);
    expect(german.keys('+4930123456')).toEqual(['4930123456']);
  });

  it('takes anything', () => {
    for (const text of ['+', '++49', '٣٤٠', '0'.repeat(100_000), '\u0000340', '(0)(0)', '+(0)']) {
      expect(german.key(text).length).toBeLessThanOrEqual(60);
      expect(german.keys(text).length).toBeLessThanOrEqual(5);
      expect(german.parts(text).length).toBeLessThanOrEqual(5);
    }
  });
});
