import { expect, it } from 'vitest';
import { runChaos } from './chaos/run.ts';

// `npm run chaos` does more of it.
it('converges after every one of a few random faults', { timeout: 120_000 }, async () => {
  const report = await runChaos(1, 14);
  expect(report.faults).toBe(14);
  expect(report.messages).toBeGreaterThan(0);
});
