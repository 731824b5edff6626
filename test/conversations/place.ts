/** Where the bridge of an office lives: in this process, to be looked into, or in one of its own. */

import type { Tuning } from '../../src/adapters.ts';
import { assemble, type Offhook } from '../../src/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import type { Readiness } from '../../src/ops/health.ts';
import { type Apart, startApart } from '../apart/apart.ts';

/** A line of the bridge's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A place for one bridge at a time. */
export interface Place {
  /** The bridge that runs, or ran last. Throws where it is in a process of its own. */
  readonly offhook: Offhook;
  /** The process. Throws where there is none. */
  readonly apart: Apart;
  /** What the bridge says of itself; from a process of its own, what it said last. */
  readonly readiness: Readiness;
  readonly log: readonly LogLine[];
  start(): Promise<void>;
  /** Whether every neighbour is up, at this moment. */
  isReady(): Promise<boolean>;
  stop(): Promise<void>;
  /** Ends whatever is there. */
  close(): Promise<void>;
}

/** What a bridge is made of. */
export interface Recipe {
  readonly environment: Readonly<Record<string, string>>;
  readonly tuning: Tuning | undefined;
}

/** In this process. */
export function placeHere({ environment, tuning }: Recipe): Place {
  const log: LogLine[] = [];
  const destination = { write: (text: string) => log.push(JSON.parse(text) as LogLine) };
  let offhook: Offhook | undefined;
  const present = () => {
    if (offhook === undefined) throw new Error('no bridge has been started');
    return offhook;
  };
  return {
    get offhook() {
      return present();
    },
    get apart(): never {
      throw new Error('the bridge of this office is in this process');
    },
    get readiness() {
      return present().readiness();
    },
    log,
    async start() {
      const { config, secrets } = readConfig(environment);
      const to = createLog({ level: config.log.level, format: 'json', secrets, destination });
      offhook = assemble(config, to, 'test', tuning);
      await offhook.start();
    },
    isReady: async () => present().readiness().ready,
    stop: () => present().stop(),
    close: async () => offhook?.stop(),
  };
}

/** In a process of its own. What Node.js warns of there is in the log. */
export function placeApart(recipe: Recipe): Place {
  const log: LogLine[] = [];
  let readiness: Readiness = { ready: false, lines: [] };
  const apart = startApart(new URL('worker.ts', import.meta.url), (news, value) => {
    if (news === 'log') log.push(value as LogLine);
    else if (news === 'readiness') readiness = value as Readiness;
    else log.push({ level: 'warn', msg: `a defect: ${value}` });
  });
  return {
    get offhook(): never {
      throw new Error('the bridge of this office is in a process of its own');
    },
    apart,
    get readiness() {
      return readiness;
    },
    log,
    start: () => apart.ask('start', recipe),
    async isReady() {
      readiness = await apart.ask<Readiness>('readiness');
      return readiness.ready;
    },
    async stop() {
      await apart.ask('stop');
      readiness = await apart.ask<Readiness>('readiness');
    },
    close: apart.stop,
  };
}
