import { expect, it } from 'vitest';
import { faults } from './chaos/faults.ts';
import { runChaos } from './chaos/run.ts';

const kinds = Object.keys(faults).length;

// `npm run chaos` does more of it.
it('converges after one fault of each kind, in a random order', { timeout: 120_000 }, async () => {
  const report = await runChaos(1, kinds);
  expect(report.faults).toBe(kinds);
  expect(report.messages).toBeGreaterThan(0);
});
