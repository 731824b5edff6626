/** What the verbs of the port act with: the control connection of the moment, and an ear for what comes of an action. */

import { Failure } from '../errors.ts';
import type { AmiAction } from './action.ts';
import { unavailable } from './answer.ts';
import type { Control } from './control.ts';
import type { Log } from './log.ts';
import type { Watch } from './watch.ts';

/** The hand that carries actions out. */
export interface Acting {
  /** Carries an action out. Rejects as `Pbx` says. */
  run(action: AmiAction): Promise<void>;
  /** Lets `work` ask the control connection. Rejects as `Pbx` says, and with what `work` rejects with. */
  ask<T>(work: (control: Control) => Promise<T>): Promise<T>;
  /** Shows what the events tell of an action that was carried out. */
  readonly watch: Watch;
  /** Whether events come at present: without them {@link watch} sees nothing. */
  readonly hears: boolean;
  /** How long what was begun may be in coming, milliseconds. */
  readonly beginMs: number;
  readonly log: Log;
}

/** Makes it. `control` is the connection of the moment, if there is one; `account` is named to the operator whose rights are too few. */
export function createActing(options: {
  readonly control: () => Control | undefined;
  readonly hears: () => boolean;
  readonly watch: Watch;
  readonly beginMs: number;
  readonly account: string;
  readonly pbx: string;
  readonly log: Log;
}): Acting {
  const { watch, beginMs, account, pbx, log } = options;
  /** Missing rights that the operator was told of: each once, or every click would be a line. */
  const complained = new Set<string>();

  async function ask<T>(work: (control: Control) => Promise<T>): Promise<T> {
    const control = options.control();
    if (control === undefined) throw unavailable();
    try {
      return await work(control);
    } catch (error) {
      // The caller can do nothing about a right that is missing.
      if (error instanceof Failure && error.code === 'not-permitted' && !complained.has(error.message)) {
        complained.add(error.message);
        log.warn(
          { pbx, account, failure: error.message },
          "the control account needs more in its 'write =' line of manager.conf",
        );
      }
      throw error;
    }
  }

  return {
    ask,
    run: async (action) => void (await ask((control) => control.run(action))),
    watch,
    get hears() {
      return options.hears();
    },
    beginMs,
    log,
  };
}
