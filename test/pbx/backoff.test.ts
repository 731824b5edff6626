import { describe, expect, it } from 'vitest';
import { createBackoff } from '../../src/backoff.ts';

describe('backoff', () => {
  it('doubles up to its limit, each wait between half the step and the whole', () => {
    const shortest = createBackoff({ minMs: 100, maxMs: 1000, random: () => 0 });
    expect(Array.from({ length: 6 }, () => shortest.next())).toEqual([50, 100, 200, 400, 500, 500]);
    const longest = createBackoff({ minMs: 100, maxMs: 1000, random: () => 1 - Number.EPSILON });
    expect(Array.from({ length: 6 }, () => longest.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('starts again when reset', () => {
    const backoff = createBackoff({ minMs: 100, maxMs: 1000, random: () => 0 });
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });

  it.each([
    [0, 10],
    [10, 5],
    [Number.NaN, 5],
  ])('refuses the bounds %s and %s', (minMs, maxMs) => {
    expect(() => createBackoff({ minMs, maxMs })).toThrow(RangeError);
  });
});
