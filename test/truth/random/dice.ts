/** Chance that can be repeated. */

/** Numbers and choices from a seed. */
export interface Dice {
  /** From 0 up to but not `below`, whole. */
  below(below: number): number;
  chance(probability: number): boolean;
  /** @throws Error when there is nothing to pick from. */
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32: small, and good enough to call telephones with. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick(from) {
      const index = Math.floor(next() * from.length);
      const picked = from[index];
      if (index >= from.length) throw new Error('there is nothing to pick from');
      return picked as (typeof from)[number];
    },
  };
}
