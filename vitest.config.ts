import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/sequencer.ts';

// biome-ignore lint/style/noDefaultExport: the file format vitest reads
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Servers are fetched before the clocks of the tests run.
    globalSetup: ['test/servers/setup.ts'],
    // Real servers start within seconds; a busy machine must not turn that into a failure.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
