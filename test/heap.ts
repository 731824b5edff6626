/** How much memory is really needed. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes in use once what nobody holds is gone. */
export function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
