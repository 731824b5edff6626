/** Steps at a steady pace, and what they take through a plain echo: the machine's own share of a delay. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { until } from '../test/servers/until.ts';

const echo = fileURLToPath(new URL('./echo.js', import.meta.url));

/** Calls `step` so often a second, for as long as the run takes; late steps are made up for. */
export async function paced(count: number, perSecond: number, step: (n: number) => void): Promise<void> {
  const began = performance.now();
  for (let n = 0; n < count; ) {
    const due = ((performance.now() - began) / 1000) * perSecond;
    for (; n < count && n <= due; n += 1) step(n);
    await wait(1);
  }
}

/** Delays of lines as long as an AMI event through a process that sends back what it gets, milliseconds. */
export async function echoDelays(count: number, perSecond: number): Promise<number[]> {
  const child = fork(echo);
  const [port] = (await once(child, 'message')) as [number];
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const samples: number[] = [];
  const began: number[] = [];
  let pending = 0;
  const line = `${'x'.repeat(430)}\n`;
  socket.on('data', (bytes: Buffer) => {
    pending += bytes.length;
    for (; pending >= line.length; pending -= line.length)
      samples.push(performance.now() - (began[samples.length] ?? 0));
  });
  await paced(count, perSecond, () => {
    began.push(performance.now());
    socket.write(line);
  });
  await until('every line has come back', () => samples.length >= count);
  socket.destroy();
  child.kill();
  return samples;
}

/** The value below which that part of the sorted values lies. */
export const percentile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
