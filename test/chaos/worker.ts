/** The process that a bridge has for itself. */

import { serve } from '../apart/worker.ts';
import type { Ports } from './bridge.ts';
import { hostHere } from './host.ts';

const host = hostHere();
serve({
  start: (ports) => host.start(ports as Ports),
  standing: host.standing,
  stop: host.stop,
});
