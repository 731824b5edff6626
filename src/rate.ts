/** Token buckets: how often somebody may ask. */

import type { Bound } from './bounds.ts';

/** Decides whether a key may act now. */
export interface RateLimit<K> {
  /** Takes one token; false where there is none left. */
  take(key: K): boolean;
  /** Keys that are remembered. */
  readonly size: number;
  /** How often one was forgotten for another. */
  readonly forgotten: number;
}

/**
 * Makes a limit of `perSecond` on average with bursts of `burst`, for at most `keys` keys. Where more keys come than are
 * remembered, the one that has been quiet longest is forgotten: it starts with a full bucket again.
 */
export function createRateLimit<K>(options: {
  readonly perSecond: number;
  readonly burst: number;
  readonly keys: number;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}): RateLimit<K> {
  const { perSecond, burst, keys, monotonic } = options;
  const buckets = new Map<K, { tokens: number; at: number }>();
  let forgotten = 0;
  function forgetOldest(): void {
    forgotten += 1;
    for (const oldest of buckets.keys()) {
      buckets.delete(oldest);
      return;
    }
  }
  return {
    take(key) {
      const at = monotonic();
      const known = buckets.get(key);
      const tokens = known ? Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond) : burst;
      // A Map keeps the order of insertion: put back last, so that the first is the one quiet longest.
      buckets.delete(key);
      if (buckets.size >= keys) forgetOldest();
      buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
      return tokens >= 1;
    },
    get size() {
      return buckets.size;
    },
    get forgotten() {
      return forgotten;
    },
  };
}

/** How many keys a limit remembers, of `most`, as a bound. */
export function boundOfKeys(of: string, most: number, limit: RateLimit<never>): Bound {
  return {
    of,
    most,
    get held() {
      return limit.size;
    },
    get exceeded() {
      return limit.forgotten;
    },
  };
}
