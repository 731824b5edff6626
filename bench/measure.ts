/** CPU time, medians, and processes beside the one that is measured. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Rounds until the compiler has settled. */
const warmUp = 3;
/** Rounds that are measured. */
const measured = 4;
/** Rounds of one {@link cpuSecondsOf}. */
export const rounds = warmUp + measured;

/** CPU seconds (user and system) of each round, those to warm up left out. */
export async function cpuSecondsOf(run: () => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (let round = -warmUp; round < measured; round++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    if (round >= 0) taken.push((user + system) / 1e6);
  }
  return taken;
}

/** Path of a script of the bench, as compiled. */
export const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A process that tells its port. It ends when told, or with this one. */
export async function neighbor(name: string, args: readonly string[] = []) {
  const child = fork(script(name), args);
  const [message] = await once(child, 'message');
  return { port: Number((message as { port: number }).port), stop: () => child.disconnect() };
}
