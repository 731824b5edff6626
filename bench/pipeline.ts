/**
 * The whole road, AMI bytes to ChannelEvent bytes, on one core: CPU time for recorded calls repeated, from socket to socket, with
 * 10,000 subscriptions at 1 and at 10 recipients per event. Beside it the same road built as one would at first
 * (asterisk-manager, the library's xml() and send()), and a road that knows nothing of calls.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repeatedCalls, subscriptions } from './load.ts';
import { median, neighbor, rounds, script } from './measure.ts';
import { report, row } from './report.ts';

const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const names = ['naive', 'bare', 'bare, our reader', 'bare, our reader, few events', 'ours'] as const;
const passes = 3;

/** What a road's process tells. */
interface Outcome {
  readonly seconds: number[];
  readonly messages: number;
}

async function drive(name: string, ...options: readonly number[]): Promise<Outcome> {
  const child = fork(script('./road.js'), [name, ...options.map(String)]);
  const [outcome] = await once(child, 'message');
  return outcome as Outcome;
}

/** The same load for each road, other calls in every round: a source of it, and how many events a round has. */
async function startSource(users: number, atOnce: number) {
  const calls = 1000;
  let events = 0;
  const files = Array.from({ length: rounds }, (_, round) => {
    const load = repeatedCalls({ calls, users, atOnce, from: round * calls });
    const file = join(folder, `${round}.ami`);
    writeFileSync(file, load.bytes);
    events = load.events;
    return file;
  });
  return { ...(await neighbor('./source.js', ['1', ...files])), events };
}

for (const recipients of [1, 10]) {
  const users = subscriptions / recipients;
  const source = await startSource(users, 100);
  const sink = await neighbor('./sink.js');
  const taken = new Map(names.map((name) => [name, [] as number[]]));
  const messages = new Map<string, number>();
  for (let pass = 0; pass < passes; pass++) {
    for (const name of names) {
      const outcome = await drive(name, recipients, source.port, sink.port, users);
      taken.get(name)?.push(...outcome.seconds);
      messages.set(name, outcome.messages);
    }
  }
  source.stop();
  sink.stop();
  const rate = (name: (typeof names)[number]) => source.events / median(taken.get(name) ?? []);
  const said = (name: string) => ((messages.get(name) ?? 0) / source.events).toFixed(2);
  const label = `whole road, ${recipients} recipient${recipients === 1 ? '' : 's'}`;
  for (const name of names) {
    report(
      row(
        `${label}: ${name}`,
        `${Math.round(rate(name) / 1000)}k AMI events/CPU s`,
        `${said(name)} messages per event`,
      ),
    );
  }
  report(
    row(
      `${label}: ours to naive`,
      `${(rate('ours') / rate('naive')).toFixed(1)}`,
      recipients === 1 ? '≥ 8' : '≥ 12',
    ),
  );
  for (const name of names.slice(1, 4)) {
    report(
      row(
        `${label}: ours to ${name}`,
        `${(rate('ours') / rate(name)).toFixed(2)}`,
        name === 'bare' ? '≥ 0.7' : '–',
      ),
    );
  }
}

// The same road with next to nobody there, and with a million subscriptions of which as few want each event.
const source = await startSource(100, 50);
const sink = await neighbor('./sink.js');
const [few, many]: [number[], number[]] = [[], []];
for (let pass = 0; pass < passes; pass++) {
  few.push(...(await drive('ours', 1, source.port, sink.port, 100)).seconds);
  many.push(...(await drive('ours', 1, source.port, sink.port, 100, 999_900)).seconds);
}
source.stop();
sink.stop();
report(
  row(
    'an event on the whole road, 1,000,000 subscriptions to 100',
    (median(many) / median(few)).toFixed(2),
    '≤ 1.5',
  ),
);
