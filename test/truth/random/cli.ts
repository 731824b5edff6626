/**
 * `npm run truth -- [--seed N] [--minutes M] [--phones N] [--pace N] [--on 22|16|simulator] [--interrupt]`: random calls by
 * many telephones; what every client believes is compared with what its telephone did, at random moments and at the end.
 */

import { parseArgs } from 'node:util';
import { callAtRandom } from './run.ts';
import { realExchange, simulatedExchange } from './telephones.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    minutes: { type: 'string', default: '3' },
    phones: { type: 'string', default: '100' },
    pace: { type: 'string', default: '40' },
    on: { type: 'string', default: '22' },
    interrupt: { type: 'boolean', default: false },
  },
});
const number = (name: 'seed' | 'minutes' | 'phones' | 'pace') => {
  const value = Number(values[name]);
  if (!(value >= 0)) throw new Error(`--${name} takes a number, not '${values[name]}'`);
  return value;
};
const { on } = values;
if (on !== '22' && on !== '16' && on !== 'simulator')
  throw new Error(`--on takes 22, 16 or simulator, not '${on}'`);

const phones = number('phones');
const exchange = on === 'simulator' ? await simulatedExchange(phones) : await realExchange(phones, on);
console.log(`${exchange.name}, ${phones} telephones, seed ${values.seed}`);
try {
  const report = await callAtRandom(exchange, {
    seed: number('seed'),
    seconds: number('minutes') * 60,
    perSecond: number('pace'),
    interruptions: values.interrupt,
    onCompared({ deeds, calls, comparisons, differences }) {
      console.log(
        `${deeds} deeds, ${calls} calls, comparison ${comparisons}: ${differences.length} differences`,
      );
    },
  });
  for (const text of report.differences) console.log(text);
  console.log(
    `${report.calls} calls, ${report.deeds} deeds (${report.refused} refused), ${report.interruptions} interruptions, ` +
      `${report.comparisons} comparisons, ${report.differences.length === 0 ? 'no' : 'with'} differences`,
  );
  if (report.differences.length > 0) {
    process.exitCode = 1;
    console.log(`recorded: ${await exchange.listening.recording(`seed ${values.seed}`)}`);
  }
} finally {
  await exchange.stop();
}
