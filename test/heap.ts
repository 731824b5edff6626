/** How much memory is really needed. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes in use once what nobody holds is gone, and what waits to be finalized, too; buffers outside of the heap included. */
export async function memoryInUse(): Promise<number> {
  // What a finalizer lets go of is found by the next round only.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
