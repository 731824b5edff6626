/** A part of a test in a process of its own: what memory it needs, and what it holds open, is nobody else's. */

import { fileURLToPath } from 'node:url';
import { start } from '../servers/process.ts';
import { lines, type Order, type Report } from './protocol.ts';

/** A process that runs `serve` of worker.ts. */
export interface Apart {
  /** Has a task carried out. Rejects with its error, when the process ends, and after a minute. */
  ask<T>(task: string, argument?: unknown): Promise<T>;
  /** Bytes that it needs at the moment. */
  memory(): Promise<number>;
  /** What it holds open, by kind. */
  resources(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

const deadlineMs = 60_000;

/** Starts one; `onNews` hears what it tells without being asked. */
export function startApart(program: URL, onNews: (news: string, value: unknown) => void = () => {}): Apart {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let orders = 0;

  const read = lines((line) => {
    if (!line.startsWith('{')) return;
    const report = JSON.parse(line) as Report;
    if ('news' in report) return onNews(report.news, report.value);
    const order = waiting.get(report.id);
    waiting.delete(report.id);
    if ('error' in report) order?.reject(new Error(report.error));
    else order?.resolve(report.value);
  });
  const running = start(
    {
      program: process.execPath,
      args: ['--import', import.meta.resolve('tsx'), fileURLToPath(program)],
    },
    read,
  );
  const ended = running.ended.then((code) => {
    const last = running.log().split('\n').slice(-20).join('\n');
    for (const { reject } of waiting.values()) reject(new Error(`the process ended (${code}): ${last}`));
    waiting.clear();
  });

  async function ask<T>(task: string, argument?: unknown): Promise<T> {
    if (!running.alive()) throw new Error(`the process has ended: ${running.log().slice(-2000)}`);
    orders += 1;
    const order: Order = { id: orders, task, argument };
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        waiting.set(order.id, { resolve: (value) => resolve(value as T), reject });
        timer = setTimeout(() => reject(new Error(`${task}: nothing came of it`)), deadlineMs);
        running.write(`${JSON.stringify(order)}\n`);
      });
    } finally {
      clearTimeout(timer);
      waiting.delete(order.id);
    }
  }

  return {
    ask,
    memory: () => ask('memory'),
    resources: () => ask('resources'),
    async stop() {
      await running.stop();
      await ended;
    },
  };
}
