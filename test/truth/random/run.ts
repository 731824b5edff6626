/** Random calls, and comparisons at random moments. */

import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../../servers/index.ts';
import { type Dice, dice } from './dice.ts';
import { differences, whoHolds } from './differences.ts';
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
  /** Called after each comparison. */
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
  /** What differed and what was broken, and what the people concerned had done; empty where all is well. */
  readonly differences: readonly string[];
}

/** Seconds in which clients and telephones must come to agree once nobody does anything. */
const patience = 10;
const remembered = 5000;

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
  const started = performance.now();
  const history: string[] = [];
  const pending = new Set<Promise<unknown>>();
  /** Whose holds and dialing the clients may have missed. */
  const unsure = new Set<string>();
  const note = (text: string) => {
    if (history.push(`${((performance.now() - started) / 1000).toFixed(3)} ${text}`) > remembered)
      history.splice(0, remembered / 2);
  };

  const act = (away: boolean) => {
    const deed = actAtRandom(exchange, rolled);
    if (deed === undefined) return;
    report.deeds += 1;
    if (/ (dials|asks) /.test(deed.what)) report.calls += 1;
    note(deed.what);
    if (away && / (holds|resumes|asks|dials) /.test(deed.what))
      for (const [extension] of deed.what.matchAll(/\b\d{3}\b/g)) unsure.add(extension);
    const done = deed.done.catch((error: unknown) => {
      report.refused += 1;
      note(`refused: ${deed.what}: ${error instanceof Error ? error.message : error}`);
    });
    pending.add(done);
    void done.finally(() => pending.delete(done));
  };
  const interrupt = async (chance: Dice) => {
    report.interruptions += 1;
    const missHolds = () => {
      for (const extension of whoHolds(handsets)) unsure.add(extension);
    };
    missHolds();
    note('the feed breaks');
    const away = chance.below(1000);
    await listening.interrupted(async () => void (await wait(away)));
    note('the feed is back');
    missHolds();
  };
  const compare = async () => {
    await until('everybody is done', () => pending.size === 0, 30);
    for (const { extension, calls } of handsets) if (calls().length === 0) unsure.delete(extension);
    const look = () => differences(handsets, listening.clients, unsure);
    await until('clients and telephones agree', () => look().length === 0, patience).catch(() => {});
    report.comparisons += 1;
    const found = [...look(), ...listening.clients.broken];
    const concerned = new Set(found.flatMap((text) => text.match(/\b\d{3}\b/g) ?? []));
    const about = (text: string) =>
      text.includes('the feed') || [...concerned].some((extension) => text.includes(extension));
    if (found.length > 0) report.differences.push(...found, ...history.filter(about).slice(-80));
    onCompared(report);
  };

  while (performance.now() - started < seconds * 1000 && report.differences.length === 0) {
    let breaking: Promise<void> | undefined;
    let away = false;
    for (let left = perSecond * (1 + rolled.below(5)); left > 0; left -= 1) {
      if (interruptions && !away && rolled.chance(0.3 / perSecond)) {
        away = true;
        breaking = interrupt(rolled).finally(() => {
          away = false;
        });
      }
      act(away);
      // Not for a condition: this is the pace of people.
      await wait((2 * rolled.below(1000)) / perSecond);
    }
    await breaking;
    await compare();
  }
  for (const handset of handsets) for (const call of handset.calls()) await call.hangUp().catch(() => {});
  if (report.differences.length === 0) {
    const idle = () => handsets.every((handset) => handset.calls().length === 0);
    await until('everybody has hung up', idle, 30);
    await compare();
  }
  return report;
}
