/** CPU time of alternatives, in alternating rounds: what a ratio needs to be one of the programs and not of the moment. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Runs each alternative `rounds` times after one to warm up; median CPU seconds (user and system) by name. */
export async function cpuSeconds(
  alternatives: Readonly<Record<string, () => Promise<void>>>,
  rounds = 5,
): Promise<Map<string, number>> {
  const taken = new Map(Object.keys(alternatives).map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(alternatives)) {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) taken.get(name)?.push((user + system) / 1e6);
    }
  }
  return new Map([...taken].map(([name, values]) => [name, median(values)]));
}

/** A process of the bench that tells its port. It ends with this one. */
export async function neighbor(script: string, args: readonly string[] = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, { execArgv: process.execArgv.filter((arg) => !arg.startsWith('--cpu-prof')) });
  const [message] = await once(child, 'message');
  return { port: Number((message as { port: number }).port), stop: () => child.disconnect() };
}
