import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Live } from '../../src/monitor/live.ts';
import { createNotes } from '../../src/monitor/notes.ts';
import { type CallRecord, recordId } from '../../src/monitor/record.ts';
import type { Shelf } from '../../src/monitor/shelf.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const record: CallRecord = { id: recordId(0, 'a'.repeat(16)), at: 0, legs: [], sections: [] };

/** Notes of one recording in a directory that does nothing before it is told to. */
function hanging() {
  const written: CallRecord[] = [];
  let goOn: () => void = () => {};
  const isBack = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const never = () => Promise.reject(new Error('not asked for here'));
  const shelf: Shelf = {
    check: never,
    appears: never,
    open: never,
    read: never,
    size: never,
    drop: never,
    all: async function* () {},
    async note(record) {
      written.push(record);
      await isBack;
      return 'kept';
    },
    async remove() {
      written.push({ ...record, id: 'removed' });
    },
  };
  const notes = createNotes({
    shelf,
    book: createMemoryStore().ledger('records'),
    log: pino({ level: 'silent' }),
    now: Date.now,
  });
  const live: Live = {
    record,
    current: undefined,
    waits: undefined,
    channels: new Map(),
    writing: Promise.resolve(),
    noted: false,
    erased: false,
  };
  return { notes, live, written, goOn };
}

it('a directory that hangs has one note of each recording to come, however long', async () => {
  const { notes, live, written, goOn } = hanging();
  const stop = notes.retry();
  const first = notes.note(live);
  for (let at = 1; at <= 50; at++) {
    live.record = { ...record, at };
    void notes.note(live);
    await vi.advanceTimersByTimeAsync(30_000);
  }
  stop();
  expect(written).toHaveLength(1);
  goOn();
  expect(await first).toBe('kept');
  await notes.written();
  // The one that hung, how it is now, and perhaps that once more at the end.
  expect(written.length).toBeLessThanOrEqual(3);
  expect(written.slice(1).map(({ at }) => at)).toContain(50);
});

it('what is removed and begins again is written after the removal', async () => {
  const { notes, live, written, goOn } = hanging();
  void notes.note(live);
  await vi.advanceTimersByTimeAsync(1);
  live.record = { ...record, at: 1 };
  void notes.note(live);
  notes.remove(live, live.record);
  live.record = { ...record, at: 2 };
  const last = notes.note(live);
  goOn();
  expect(await last).toBe('kept');
  expect(written.map(({ id, at }) => (id === 'removed' ? id : at)).slice(-2)).toEqual(['removed', 2]);
});
