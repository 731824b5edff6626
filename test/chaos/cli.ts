/** `npm run chaos -- --seed N --faults N`: by default 200 faults and a seed of the moment, which is printed. */
import { numberOption } from './random.ts';
import { percent, runChaos } from './run.ts';

const seed = numberOption('seed', Date.now() % 1_000_000);
const count = numberOption('faults', 200);
console.log(`seed ${seed}, ${count} faults`);
const report = await runChaos(seed, count, (line) => console.log(line));
const { before, most } = report.memory;
console.log(
  `${report.faults} faults, ${report.calls} calls, ${report.messages} messages: all clients converged; memory at most ` +
    `${percent(most.ratio)} of ${(before / 1e6).toFixed(1)} MB (after: ${most.after})`,
);
