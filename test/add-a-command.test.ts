import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const run = promisify(execFile);
const project = join(import.meta.dirname, '..');
const copy = mkdtempSync(join(tmpdir(), 'offhook-add-a-command-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('docs/add-a-command.md compiles and passes its own test', async () => {
  const tested = ['test/idle.ts', 'test/settings.ts', 'test/modules/harness.ts'];
  for (const path of ['src', ...tested, 'package.json', 'tsconfig.json']) {
    cpSync(join(project, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  const text = readFileSync(join(project, 'docs/add-a-command.md'), 'utf8');
  // A path in backticks at the start of a line, and the next block of code is that file.
  const files = [...text.matchAll(/^`([\w/.-]+\.ts)`[^`]*?\n```ts\n(.*?)^```$/gms)];
  expect(files.map(([, path]) => path)).toEqual(['src/modules/device.ts', 'test/modules/device.test.ts']);
  for (const [, path = '', code = ''] of files) writeFileSync(join(copy, path), code);

  const node = (script: string, ...args: string[]) =>
    run(process.execPath, [join(project, 'node_modules', script), ...args], { cwd: copy }).catch((error) => {
      throw new Error(`${script}: ${error.stdout}${error.stderr}`);
    });
  await node('typescript/bin/tsc', '--noEmit');
  const { stdout } = await node('vitest/vitest.mjs', 'run', '--root', copy, '--reporter=json');
  expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 2 });
});
