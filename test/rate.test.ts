import { describe, expect, it } from 'vitest';
import { createRateLimit } from '../src/rate.ts';

function limit(options: { perSecond: number; burst: number; keys: number }) {
  let time = 0;
  const rate = createRateLimit<string>({ ...options, monotonic: () => time });
  const pass = (ms: number) => {
    time += ms;
  };
  return { rate, pass };
}

describe('the rate limit', () => {
  it('lets a burst through, then so many a second', () => {
    const { rate, pass } = limit({ perSecond: 2, burst: 3, keys: 10 });
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false]);
    pass(500);
    expect([rate.take('a'), rate.take('a')]).toEqual([true, false]);
    pass(60_000);
    expect([1, 2, 3, 4].map(() => rate.take('a'))).toEqual([true, true, true, false]);
  });

  it('counts everybody alone', () => {
    const { rate } = limit({ perSecond: 1, burst: 1, keys: 10 });
    expect([rate.take('a'), rate.take('b'), rate.take('a')]).toEqual([true, true, false]);
  });

  it('remembers no more keys than it may, the busy ones longest', () => {
    const { rate } = limit({ perSecond: 1, burst: 1, keys: 2 });
    for (const key of ['busy', 'b', 'busy', 'c', 'busy', 'd']) rate.take(key);
    expect(rate.size).toBe(2);
    expect(rate.take('busy')).toBe(false);
  });
});
