/** What a phonebook of 100,000 entries costs: to read, to keep, to search, to name callers. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { createFilePersons } from '../src/phonebook/file.ts';
import { createPhonebook } from '../src/phonebook/model.ts';
import { createNumbers } from '../src/phonebook/numbers.ts';
import { report, row } from './report.ts';

const entries = 100_000;
const page = 50;
const asker = { groups: new Set<string>() };

/** The same every time: a linear congruential generator. */
let seed = 42;
const next = (below: number) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
const pick = (words: readonly string[]) => words[next(words.length)] ?? '';
const syllables =
  'ba ber chen dorf er feld gang hei in ja kel lau mar nie ober pe rich schu ste tal ul ver wei zim'.split(
    ' ',
  );
const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
const word = () => capital(Array.from({ length: 2 + next(2) }, () => pick(syllables)).join(''));
const firstNames =
  'Anna Bernd Céline Dörte Emil Franziska Gökhan Hélène Igor Jürgen Katarzyna Łukasz Müjde Nils Özlem'.split(
    ' ',
  );

function line(n: number): string {
  const surname = word();
  const company = `${word()} ${pick(['GmbH', 'AG', 'KG', 'e.V.'])}`;
  const area = 30 + next(900);
  return [
    pick(firstNames),
    surname,
    company,
    `0${area} ${1_000_000 + n}`,
    next(2) === 0 ? `+49 17${next(10)} ${10_000_000 + n}` : '',
    next(4) === 0 ? `0${area} ${2_000_000 + n}` : '',
    `${surname.toLowerCase()}.${n}@${company.split(' ')[0]?.toLowerCase()}.example`,
    next(20) === 0 ? 'VIP' : '',
  ].join(',');
}

const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'));
const path = join(folder, 'phonebook.csv');
writeFileSync(
  path,
  [
    'firstname,surname,company,phone,mobile,fax,email,labels',
    ...Array.from({ length: entries }, (_, n) => line(n)),
  ].join('\n'),
);

global.gc?.();
const before = process.memoryUsage();
const cpuBefore = process.cpuUsage();
const log = pino({ level: 'silent' });
const numbers = createNumbers('DE', '0');
const source = createFilePersons({ path, reading: { most: 2 * entries, key: numbers.key }, log });
const phonebook = createPhonebook({
  sources: [source],
  numbers,
  isExtension: () => false,
  visibleTo: new Map(),
  log,
});
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await phonebook.start?.();
while (phonebook.size < entries) await new Promise((resolve) => setTimeout(resolve, 10));
const cpu = process.cpuUsage(cpuBefore);
const seconds = (cpu.user + cpu.system) / 1e6;
delay.disable();
global.gc?.();
await new Promise((resolve) => setTimeout(resolve, 100));
global.gc?.();
const after = process.memoryUsage();
const megabytes =
  (after.heapUsed +
    after.external +
    after.arrayBuffers -
    before.heapUsed -
    before.external -
    before.arrayBuffers) /
  2 ** 20;
if (phonebook.size !== entries) throw new Error(`${phonebook.size} persons`);

/** Milliseconds of CPU of `rounds` searches, sorted: by the clock, they are those of what else the machine does. */
function search(query: () => string, rounds: number): number[] {
  const taken: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const text = query();
    const start = process.cpuUsage();
    let found = 0;
    for (const _ of phonebook.find({ text }, asker)) if (++found > page) break;
    const { user, system } = process.cpuUsage(start);
    taken.push((user + system) / 1000);
  }
  return taken.sort((a, b) => a - b);
}
const at = (sorted: readonly number[], part: number) =>
  sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
const shown = (sorted: readonly number[]) =>
  `p50 ${at(sorted, 0.5).toFixed(2)} ms, p99 ${at(sorted, 0.99).toFixed(2)} ms`;

const queries: readonly (readonly [what: string, query: () => string])[] = [
  ['a word of 2 to 6 letters', () => word().slice(0, 2 + next(5))],
  ['two words', () => `${pick(firstNames).slice(0, 3)} ${word().slice(0, 4)}`],
  ['a part of a number', () => `0${30 + next(900)} ${String(next(1e6)).slice(0, 1 + next(6))}`],
  [
    'what nobody has',
    () => pick(['erererer', 'qx', 'zimzimzim', 'sch er in ab', '+4930999', 'e-e', '0000000']),
  ],
];
for (const [, query] of queries) search(query, 200);
const all: number[] = [];
for (const [what, query] of queries) {
  const taken = search(query, 500);
  all.push(...taken);
  report(row(`phonebook of 100,000: ${what}`, shown(taken), 'of CPU; first 50'));
}
all.sort((a, b) => a - b);
report(row('phonebook of 100,000: all of these', shown(all), 'of CPU; p99 < 20 ms'));

const callers = Array.from({ length: 1000 }, (_, n) => `0${30 + next(900)} ${1_000_000 + n * 97}`);
function name(rounds: number): number {
  const start = process.cpuUsage();
  for (let n = 0; n < rounds; n++) for (const number of callers) phonebook.byNumber(number);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / (rounds * callers.length);
}
const first = name(1);
name(100);
report(
  row(
    'phonebook: name of a caller, again',
    `${Math.round(name(100))} ns`,
    `${(first / 1000).toFixed(1)} µs the first time`,
  ),
);
report(row('phonebook of 100,000: memory', `${Math.round(megabytes)} MB`, '< 200 MB'));
report(
  row(
    'phonebook of 100,000: read and made',
    `${seconds.toFixed(1)} s of CPU`,
    `others wait ${(delay.percentile(99) / 1e6).toFixed(0)} ms at p99`,
  ),
);
let most = 0;
const sampling = setInterval(() => {
  most = Math.max(most, process.memoryUsage().heapUsed - before.heapUsed);
}, 2);
appendFileSync(path, `\n${line(entries)}`);
while (phonebook.size === entries) await new Promise((resolve) => setTimeout(resolve, 10));
clearInterval(sampling);
report(
  row(
    'phonebook of 100,000: made again',
    `${Math.round(most / 2 ** 20)} MB of heap at the most`,
    'what nobody needs any more included',
  ),
);
await phonebook.stop?.();
rmSync(folder, { recursive: true });
