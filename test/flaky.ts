/** A reporter for CI, where a test that fails runs once more: names the ones that needed it. Each of them is a race to be found. */

import type { Reporter, TestCase } from 'vitest/node';

class Flaky implements Reporter {
  readonly #names: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky === true) this.#names.push(`${test.module.moduleId}: ${test.fullName}`);
  }

  onTestRunEnd(): void {
    for (const name of this.#names) console.log(`flaky, passed at the second attempt: ${name}`);
  }
}

// biome-ignore lint/style/noDefaultExport: how vitest takes reporters
export default Flaky;
