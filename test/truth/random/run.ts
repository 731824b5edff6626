/** Random calls, and comparisons at random moments. */

import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../../servers/index.ts';
import { dice } from './dice.ts';
import { differences } from './differences.ts';
import { actAtRandom } from './people.ts';
import type { Exchange } from './telephones.ts';

/** How long, and how much. */
export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Things that are done in a second, about. */
  readonly perSecond: number;
  /** The feed breaks now and then, in the middle of everything. */
  readonly interruptions: boolean;
  /** Called for each comparison, with what differed. */
  onCompared?(report: RunReport): void;
}

/** What came of it. */
export interface RunReport {
  readonly deeds: number;
  /** Deeds that the telephone system or a race did not let happen. */
  readonly refused: number;
  readonly calls: number;
  readonly comparisons: number;
  readonly interruptions: number;
  /** What differed, and what was broken; empty where all is well. */
  readonly differences: readonly string[];
}

/** Seconds in which clients and telephones must come to agree once nobody does anything. */
const patience = 10;

/** Runs until the time is up or something differs, and ends every call. */
export async function callAtRandom(exchange: Exchange, options: RunOptions): Promise<RunReport> {
  const { seed, seconds, perSecond, interruptions, onCompared = () => {} } = options;
  const { handsets, listening } = exchange;
  const rolled = dice(seed);
  const report = {
    deeds: 0,
    refused: 0,
    calls: 0,
    comparisons: 0,
    interruptions: 0,
    differences: [] as string[],
  };
  const history: string[] = [];
  const started = performance.now();
  const pending = new Set<Promise<unknown>>();

  const compare = async () => {
    await until('everybody is done', () => pending.size === 0, 30);
    const look = () => differences(handsets, listening.clients);
    await until('clients and telephones agree', () => look().length === 0, patience).catch(() => {});
    report.comparisons += 1;
    const found = look();
    const broken = listening.clients.broken;
    if (found.length > 0 || broken.length > 0) {
      const concerned = new Set(found.map((text) => text.slice(0, 3)));
      report.differences.push(
        ...found,
        ...broken,
        ...history.filter((text) => [...concerned].some((extension) => text.includes(extension))).slice(-60),
      );
    }
    onCompared(report);
  };
  const interrupt = async () => {
    report.interruptions += 1;
    history.push(`${elapsed()} the feed breaks`);
    const away = rolled.below(1000);
    await listening.interrupted(async () => void (await wait(away)));
    history.push(`${elapsed()} the feed is back`);
  };
  const elapsed = () => ((performance.now() - started) / 1000).toFixed(3);

  while (performance.now() - started < seconds * 1000 && report.differences.length === 0) {
    let breaking: Promise<void> | undefined;
    for (let left = perSecond * (1 + rolled.below(5)); left > 0; left -= 1) {
      if (interruptions && breaking === undefined && rolled.chance(0.2 / perSecond)) {
        breaking = interrupt();
      }
      const deed = actAtRandom(exchange, rolled);
      if (deed !== undefined) {
        report.deeds += 1;
        if (/ (dials|asks) /.test(deed.what)) report.calls += 1;
        history.push(`${elapsed()} ${deed.what}`);
        const done = deed.done.catch((error: unknown) => {
          report.refused += 1;
          history.push(
            `${elapsed()} refused: ${deed.what}: ${error instanceof Error ? error.message : error}`,
          );
        });
        pending.add(done);
        void done.finally(() => pending.delete(done));
      }
      if (history.length > 5000) history.splice(0, 2500);
      // Not for a condition: this is the pace of people.
      await wait((2 * rolled.below(1000)) / perSecond);
    }
    await breaking;
    await compare();
  }
  for (const handset of handsets) for (const call of handset.calls()) await call.hangUp().catch(() => {});
  if (report.differences.length === 0) {
    await until('everybody has hung up', () => handsets.every((handset) => handset.calls().length === 0), 30);
    await compare();
  }
  return report;
}
