/** Waiting for a state instead of for time. */
export interface Waiting {
  /** Asks every condition again. */
  changed(): void;
  until(condition: () => boolean, what?: string, ms?: number): Promise<void>;
  /** Rejects everybody who still waits. */
  stop(): void;
}

/** `describe` tells the present state for the message of a wait in vain. */
export function createWaiting(describe: () => string): Waiting {
  const waiters = new Set<{ check(): void; reject(error: Error): void }>();
  return {
    changed() {
      for (const waiter of waiters) waiter.check();
    },
    until(condition, what = 'the condition', ms = 10_000) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiter.reject(new Error(`waited ${ms} ms in vain for ${what}; ${describe()}`));
        }, ms);
        const end = () => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        const waiter = {
          check() {
            try {
              if (!condition()) return;
            } catch (error) {
              waiter.reject(error instanceof Error ? error : new Error(String(error)));
              return;
            }
            end();
            resolve();
          },
          reject(error: Error) {
            end();
            reject(error);
          },
        };
        waiters.add(waiter);
      });
    },
    stop() {
      for (const waiter of waiters) waiter.reject(new Error('the simulated Asterisk was stopped'));
    },
  };
}
