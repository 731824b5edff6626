/** Waiting for one event of the feed: for the few actions whose outcome their answer does not tell. */

import type { PbxEvent } from './events.ts';

/** An outcome that is waited for. */
export interface Awaited<T> {
  /** What was found; undefined where the time ran out or the action failed. Never rejects. */
  readonly outcome: Promise<T | undefined>;
  /** Waits for the action whose outcome it is, and gives up where that fails. Rejects with its error. */
  after(action: Promise<unknown>): Promise<void>;
  /** Waits no longer: the outcome is undefined. */
  give(): void;
}

/** Shows each event to those who wait; costs one comparison where nobody does. */
export interface Watch {
  see(event: PbxEvent): void;
  /** Begins to wait for the first event of which `find` makes something. `ms` milliseconds at the most. */
  next<T>(find: (event: PbxEvent) => T | undefined, ms: number): Awaited<T>;
}

/** Makes a watch with nobody waiting. As many can wait as actions can be pending. */
export function createWatch(): Watch {
  const waiting = new Set<(event: PbxEvent) => void>();
  return {
    see(event) {
      if (waiting.size === 0) return;
      for (const each of [...waiting]) each(event);
    },
    next(find, ms) {
      let settle: (found: ReturnType<typeof find>) => void = () => {};
      const outcome = new Promise<ReturnType<typeof find>>((resolve) => {
        const look = (event: PbxEvent) => {
          const found = find(event);
          if (found !== undefined) settle(found);
        };
        const timer = setTimeout(() => settle(undefined), ms);
        settle = (found) => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
      });
      return {
        outcome,
        give: () => settle(undefined),
        async after(action) {
          try {
            await action;
          } catch (error) {
            settle(undefined);
            throw error;
          }
        },
      };
    },
  };
}
