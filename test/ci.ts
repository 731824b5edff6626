/**
 * A reporter for CI, where a test that fails runs once more: names the ones that needed it (each is a race to be found), and
 * says within minutes what stands still, so that a run that is given up tells where.
 */

import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** How often to look for what stands still, and from when on a file is named, in milliseconds. */
const LOOK_MS = 60_000;
const LONG_MS = 180_000;

class Ci implements Reporter {
  readonly #flaky: string[] = [];
  /** Since when each file runs, and the test it is at. */
  readonly #running = new Map<string, { readonly since: number; at: string }>();
  readonly #look = setInterval(() => this.#tell(), LOOK_MS).unref();

  onTestModuleStart(module: TestModule): void {
    this.#running.set(module.moduleId, { since: Date.now(), at: 'its preparations' });
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.moduleId);
  }

  onTestCaseReady(test: TestCase): void {
    this.#at(test, test.fullName);
  }

  onTestCaseResult(test: TestCase): void {
    this.#at(test, `what follows ${test.fullName}`);
    const name = `${test.module.moduleId}: ${test.fullName}`;
    const { state, errors } = test.result();
    const what = `${name}\n  ${ours(errors?.[0]?.stack ?? '')}`;
    if (test.diagnostic()?.flaky === true) this.#flaky.push(what);
    if (state === 'failed') console.log(`failed twice: ${what}`);
  }

  onTestRunEnd(): void {
    clearInterval(this.#look);
    for (const name of this.#flaky) console.log(`flaky, passed at the second attempt: ${name}`);
  }

  #at(test: TestCase, at: string): void {
    const file = this.#running.get(test.module.moduleId);
    if (file) file.at = at;
  }

  #tell(): void {
    for (const [file, { since, at }] of this.#running) {
      const ms = Date.now() - since;
      if (ms > LONG_MS) console.log(`running for ${Math.round(ms / 1000)} s: ${file}: ${at}`);
    }
  }
}

/** What went wrong, and where in files of ours. */
function ours(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !/^\s+at .*(node_modules|node:|<anonymous>)/.test(line))
    .join('\n');
}

// biome-ignore lint/style/noDefaultExport: how vitest takes reporters
export default Ci;
