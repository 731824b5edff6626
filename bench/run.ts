/**
 * `npm run bench`: compiles the bench as the program is compiled, runs every benchmark, one after the other and each in processes of
 * its own, and writes docs/performance.md. `npm run bench -- latency feed` runs some, and writes nothing.
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import type { Row } from './report.ts';

const all = [
  'pipeline',
  'feed',
  'calls',
  'subscriptions',
  'restart',
  'filter',
  'latency',
  'queues',
  'archive',
  'phonebook',
];
/** Run by name only: it takes minutes, and tells its figures itself. */
const byName = ['presence'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => ![...all, ...byName].includes(name));
if (unknown.length > 0)
  throw new Error(`there is no benchmark "${unknown[0]}"; there are ${[...all, ...byName].join(', ')}`);

const compiled = spawnSync('node_modules/.bin/tsc', ['-p', 'bench/tsconfig.json'], { stdio: 'inherit' });
if (compiled.status !== 0) throw new Error('the bench does not compile: npm run check');
// The program reads its version from the folder above its own.
copyFileSync('package.json', '.bench/package.json');
// What real servers are configured from.
cpSync('test/servers/asterisk', '.bench/test/servers/asterisk', { recursive: true });

const rows: Row[] = [];
for (const name of wanted.length > 0 ? wanted : all) {
  console.log(`\n${name}`);
  const child = fork(`.bench/bench/${name}.js`, { execArgv: ['--expose-gc'] });
  child.on('message', (message: { row?: Row }) => {
    if (message.row !== undefined) rows.push(message.row);
  });
  const [status] = await once(child, 'exit');
  if (status !== 0) process.exitCode = 1;
}
if (wanted.length === 0 && process.exitCode === undefined) writeFileSync('docs/performance.md', page(rows));

function page(lines: readonly Row[]): string {
  const cells: Row[] = [['what', 'figure', 'goal, or remark'], ...lines];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const table = cells.map((line) => `| ${line.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`);
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node.js ${process.versions.node}`;
  return `# Performance

Written by \`npm run bench\` on ${machine}. Every ratio is of figures of one run: CPU seconds (user and system, garbage collection
included), medians. Absolute figures are of this machine and of what else it did.

${[table[0], rule, ...table.slice(1)].join('\n')}

**The whole road** goes from socket to socket: AMI bytes of a recorded call between two telephones (90 events of every class, of which 6
become ChannelEvents), repeated with other people and ids, 100 calls at a time, 10,000 subscriptions. _Ours_ is the road of calls and
their events; what follows the telephone world beside them (journal, queues, recordings) only looks at an event's type there. _Naive_ is the same model and
the same events between asterisk-manager, \`xml()\` and \`send()\`. _Bare_ has no model and a
reader without any of our code (\`bench/plain.ts\`): it takes the channel's name out of each event about a channel and writes a fixed text to its user's
sessions, which is three times as many messages as ours. With _our reader_ in its place, and with _few events_ (three kinds, as many messages as ours), it
shows what the model costs. **The recorded load** is 48,003 events of 600 calls through Local channels.
`;
}
