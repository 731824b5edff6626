/**
 * Entries that Redis has said to have, but may lose if it dies now: with `appendfsync everysec` up to two seconds' worth
 * (redis.conf). They are written once more after a loss of the connection, which does no harm where they are still there.
 */

import { type Bounded, createBound } from '../bounds.ts';
import { type Batch, isEntry, merged, type Write } from './pending.ts';

/** Twice what Redis may lose, and time to notice that it is gone. */
const windowMs = 10_000;
const maxWrites = 2000;

/** The latest durable entries. */
export interface RecentWrites extends Bounded {
  /** A batch was written at this moment, but for what failed. */
  written(batch: Batch, failed: Batch, at: number): void;
  /** The connection was lost at this moment: what is older than a few seconds is safe. */
  cut(at: number): void;
  /** What is to be written again; nothing is kept of it here. */
  take(): readonly Write[];
  /** Forgets what belongs to a place. */
  drop(place: string): void;
}

/** Makes an empty memory, which holds some seconds' entries and at most 2,000 of them. */
export function createRecentWrites(): RecentWrites {
  const recent = new Map<string, { readonly write: Write; readonly at: number }>();

  const bound = createBound('store_recent', maxWrites, () => recent.size);

  function forgetUntil(limit: number): void {
    for (const [key, { at }] of recent) {
      if (at >= limit && recent.size <= maxWrites) return;
      if (at >= limit) bound.exceed();
      recent.delete(key);
    }
  }

  return {
    bounds: [bound],
    written(batch, failed, at) {
      for (const [key, { write }] of batch) {
        if (!isEntry(write) || failed.has(key)) continue;
        const both = merged(recent.get(key)?.write, write);
        recent.delete(key);
        recent.set(key, { write: both, at });
      }
      forgetUntil(at - windowMs);
    },
    cut: (at) => forgetUntil(at - windowMs),
    take() {
      const writes = [...recent.values()].map(({ write }) => write);
      recent.clear();
      return writes;
    },
    drop(place) {
      for (const [key, { write }] of recent) if (write.place === place) recent.delete(key);
    },
  };
}
