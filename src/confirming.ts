/**
 * How far the stream to the XMPP server has got: asked now and then, so that whoever keeps what clients were told knows what has
 * arrived. What has not is told again, after a loss of the stream or by the next bridge.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Model } from './models.ts';
import type { Publish } from './publish.ts';
import type { Told } from './told.ts';
import { askAll } from './unconfirmed.ts';

/** What {@link createConfirming} needs. */
export interface ConfirmingOptions {
  readonly publish: Pick<Publish, 'settle' | 'backlog'>;
  /** Resolves once the server has everything that was sent before; rejects after so many milliseconds. */
  confirm(timeoutMs: number): Promise<unknown>;
  readonly told: Pick<Told, 'ask'>;
  readonly models: readonly Pick<Model, 'ask'>[];
  /** Between two questions, milliseconds. Default: 1000. */
  readonly everyMs?: number | undefined;
}

/** The questions. */
export interface Confirming {
  start(): void;
  /** Asks for the last time, and waits for the answer, as long as this at the most: milliseconds. */
  stop(ms: number): Promise<void>;
}

const usualEveryMs = 1000;
const timeoutMs = 10_000;

/** Makes it; nothing is asked before `start`. */
export function createConfirming(options: ConfirmingOptions): Confirming {
  const { publish, confirm, told, models, everyMs = usualEveryMs } = options;
  let timer: NodeJS.Timeout | undefined;
  /** The question that is under way. */
  let asking: Promise<void> | undefined;

  function ask(ms: number): Promise<void> {
    asking ??= publish
      .settle(async () => {
        const allArrived = askAll(models);
        const arrived = told.ask();
        await confirm(ms);
        arrived();
        // What waits may be for some who have not heard what others have.
        if (publish.backlog.waiting === 0) allArrived();
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  return {
    start() {
      timer = setInterval(() => void ask(timeoutMs), everyMs);
    },
    async stop(ms) {
      clearInterval(timer);
      // What is asked already is not asked of what was told since.
      if (asking !== undefined) await Promise.race([asking, sleep(ms, undefined, { ref: false })]);
      if (asking === undefined) await ask(ms);
    },
  };
}
