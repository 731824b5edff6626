/** `npm run bench`: every benchmark, one after the other, each in a process of its own. `npm run bench -- latency` runs one. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const all = ['feed', 'latency', 'presence', 'calls'];
const wanted = process.argv.slice(2);
for (const name of wanted.length > 0 ? wanted : all) {
  if (!all.includes(name)) throw new Error(`there is no benchmark "${name}"; there are ${all.join(', ')}`);
  console.log(`\n${name}`);
  const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', script], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
