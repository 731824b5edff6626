/** What is kept and bounded, for `/metrics` and docs/limits.md: how much there is, how much there may be, how often that was not enough. */

/** One bound. */
export interface Bound {
  /** What it is of, as a label: `parked_calls`. */
  readonly of: string;
  readonly most: number;
  /** How many there are now. */
  readonly held: number;
  /** How often one too many came: it was refused, or another one made room for it. */
  readonly exceeded: number;
}

/** A bound as its owner has it. */
export interface CountedBound extends Bound {
  /** Whether there is room for one more; counts where there is none. */
  admits(): boolean;
  /** Counts one that was too many. */
  exceed(): void;
}

/** Whoever keeps something. */
export interface Bounded {
  readonly bounds: readonly Bound[];
}

/** Makes one. `held`: how many there are now. */
export function createBound(of: string, most: number, held: () => number): CountedBound {
  let exceeded = 0;
  return {
    of,
    most,
    get held() {
      return held();
    },
    get exceeded() {
      return exceeded;
    },
    admits() {
      if (held() < most) return true;
      exceeded += 1;
      return false;
    },
    exceed() {
      exceeded += 1;
    },
  };
}
