/** Half a minute of `npm run truth`: long enough to catch what is broken, short enough to be run each time. */

import { describe, expect, test } from 'vitest';
import { callAtRandom, type RunOptions } from './random/run.ts';
import { type Exchange, realExchange, simulatedExchange } from './random/telephones.ts';

const telephones = 100;

const situations: readonly [name: string, open: () => Promise<Exchange>, options: RunOptions][] = [
  [
    'a real Asterisk, with a feed that breaks',
    () => realExchange(telephones, '22'),
    { seed: 1, seconds: 20, perSecond: 30, interruptions: true },
  ],
  [
    'the simulated Asterisk',
    () => simulatedExchange(telephones),
    { seed: 2, seconds: 8, perSecond: 150, interruptions: false },
  ],
];

describe('random calls by a hundred telephones: clients believe what telephones show', () => {
  test.each(situations)(
    '%s',
    async (_, open, options) => {
      const exchange = await open();
      try {
        const report = await callAtRandom(exchange, options);
        const recorded =
          report.differences.length === 0 ? [] : [await exchange.listening.recording(`seed ${options.seed}`)];
        expect([...report.differences, ...recorded]).toEqual([]);
        expect(report.calls).toBeGreaterThan(50);
        expect(report.comparisons).toBeGreaterThan(1);
        if (options.interruptions) expect(report.interruptions).toBeGreaterThan(0);
      } finally {
        await exchange.stop();
      }
    },
    120_000,
  );
});
