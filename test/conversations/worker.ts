/** The process that the bridge of an office has for itself. */

import type { Tuning } from '../../src/adapters.ts';
import { assemble, type Offhook } from '../../src/assemble.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { serve, tell } from '../apart/worker.ts';

const realNow = Date.now;
let offset = 0;
Date.now = () => realNow() + offset;

let offhook: Offhook | undefined;
let said = '';
// Whoever waits for a state looks at what was told last.
setInterval(() => {
  const readiness = offhook?.readiness();
  if (readiness === undefined || JSON.stringify(readiness) === said) return;
  said = JSON.stringify(readiness);
  tell('readiness', readiness);
}, 10).unref();

serve({
  async start(plan) {
    const { environment, tuning } = plan as { environment: Record<string, string>; tuning?: Tuning };
    const { config, secrets } = readConfig(environment);
    const destination = { write: (text: string) => tell('log', JSON.parse(text)) };
    const log = createLog({ level: config.log.level, format: 'json', secrets, destination });
    offhook = assemble(config, log, 'test', tuning);
    await offhook.start();
  },
  stop: () => offhook?.stop(),
  readiness: () => offhook?.readiness(),
  /** Puts the clock forward by so many milliseconds, compared to the real one. */
  clock(ms) {
    offset = Number(ms);
  },
});
