/** The bridge as a process of its own, to be killed. */

import { fileURLToPath } from 'node:url';
import { runFolder } from '../servers/folders.ts';
import { type Running, start } from '../servers/process.ts';
import { until } from '../servers/until.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts it in an empty folder; it is ready when this resolves. */
export async function startProgram(environment: Readonly<Record<string, string>>): Promise<Running> {
  const folder = await runFolder('bridge');
  const running = start({
    program: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), main],
    env: { ...environment, LOG_FORMAT: 'json' },
    cwd: folder.path,
  });
  void running.ended.then(() => folder.remove());
  try {
    await until('the bridge is ready', () => running.log().includes('"msg":"ready"'), 60);
  } catch (error) {
    await running.kill();
    throw new Error(`${error}\n${running.log()}`, { cause: error });
  }
  return running;
}
