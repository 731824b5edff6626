/** The side of the process: it does what it is told until its standard input ends. */

import { memoryInUse } from '../heap.ts';
import { lines, type Order, type Report } from './protocol.ts';

const say = (report: Report) => void process.stdout.write(`${JSON.stringify(report)}\n`);

/** Tells the test something that it did not ask for. */
export function tell(news: string, value: unknown): void {
  say({ news, value });
}

/**
 * Carries tasks out, by name, as they come; besides those given, `memory` and `resources` (what is held open, by kind). A promise
 * that is left alone ends the process, as Node.js has it; a warning is told as news.
 */
export function serve(tasks: Readonly<Record<string, (argument: unknown) => unknown>>): void {
  const all = new Map<string, (argument: unknown) => unknown>(
    Object.entries({ memory: memoryInUse, resources, ...tasks }),
  );
  process.on('warning', (warning) => tell('warning', String(warning.stack)));
  const obey = async ({ id, task, argument }: Order) => {
    try {
      const act = all.get(task);
      if (act === undefined) throw new Error(`no task is called ${task}`);
      say({ id, value: await act(argument) });
    } catch (error) {
      say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.stdin.setEncoding('utf8').on(
    'data',
    lines((line) => void obey(JSON.parse(line) as Order)),
  );
  process.stdin.on('end', () => process.exit());
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
