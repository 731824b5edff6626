/** Waiting times between attempts to reach a peer that is away. */

/** What {@link createBackoff} needs. */
export interface BackoffOptions {
  /** Upper end of the first wait, milliseconds, > 0. */
  readonly minMs: number;
  /** No wait is longer than this, milliseconds, >= `minMs`. */
  readonly maxMs: number;
  /** Uniform in [0, 1); `Math.random` where left out. */
  readonly random?: () => number;
}

/** Doubling waits with jitter. */
export interface Backoff {
  /** The next wait in milliseconds: between half the present step and the whole, then the step doubles up to `maxMs`. */
  next(): number;
  /** Starts again at `minMs`: for when the peer was reached and did what was wanted. */
  reset(): void;
}

/**
 * Makes a backoff. Half of each wait is fixed, so that a peer that fails at once is never hammered; the other half is
 * random, so that many clients of one restarted server do not come back in step.
 *
 * Throws `RangeError` where the bounds are not 0 < `minMs` <= `maxMs`.
 */
export function createBackoff({ minMs, maxMs, random = Math.random }: BackoffOptions): Backoff {
  if (!(minMs > 0 && minMs <= maxMs)) throw new RangeError('backoff: 0 < minMs <= maxMs is required');
  let step = minMs;
  return {
    next() {
      const wait = Math.round((step * (1 + random())) / 2);
      step = Math.min(step * 2, maxMs);
      return wait;
    },
    reset() {
      step = minMs;
    },
  };
}
