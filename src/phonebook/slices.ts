/** Long work in short slices, so that calls do not wait for it. */

import { setImmediate } from 'node:timers/promises';

/** A slice, milliseconds: what an event may wait. */
const sliceMs = 5;

/** Drives a generator to its end. `stopped` ends it early: then the answer is undefined. */
export async function inSlices<T>(work: Generator<void, T>, stopped: () => boolean): Promise<T | undefined> {
  for (;;) {
    const until = performance.now() + sliceMs;
    while (performance.now() < until) {
      const step = work.next();
      if (step.done === true) return step.value;
    }
    await setImmediate();
    if (stopped()) return undefined;
  }
}
