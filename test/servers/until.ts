/** Waiting for a condition, never for a time. */
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Resolves with the first value of `condition` that is neither undefined nor false; asks every 20 ms.
 * @param what completes the message "… did not happen within n s"
 * @throws Error after `seconds`, with the last rejection of `condition` as its cause.
 */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 20,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await wait(20);
  } while (performance.now() < deadline);
  throw new Error(`${what}: did not happen within ${seconds} s`, { cause });
}
