/** What another program has put in the place of a table does not fill the bridge. */

import { pino } from 'pino';
import { expect, it } from 'vitest';
import { readTable } from '../src/store/redis-load.ts';

const log = pino({ level: 'silent' });

/** So many entries, in portions. */
function table(count: number) {
  const portion = 100_000;
  let read = 0;
  return {
    /** How many were handed out. */
    read: () => read,
    hscan: async (_key: string, cursor: string | number): Promise<[string, string[]]> => {
      const from = Number(cursor);
      const to = Math.min(from + portion, count);
      read = to;
      return [to < count ? String(to) : '0', new Array<string>(2 * (to - from)).fill('x')];
    },
  };
}

it('is read as far as a table may go, and no further, readable or not', async () => {
  for (const decode of [() => undefined, (field: string) => field]) {
    const full = table(1_000_000);
    await readTable(full, 'sessions', decode, log);
    expect(full.read()).toBe(1_000_000);
    const endless = table(Number.MAX_SAFE_INTEGER);
    await expect(readTable(endless, 'sessions', decode, log)).rejects.toThrow(
      'sessions has more than 1000000 entries',
    );
    expect(endless.read()).toBe(1_100_000);
  }
});
