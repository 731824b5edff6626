import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eraseCommand } from '../../src/cli/books.ts';
import type { CallRecord } from '../../src/monitor/record.ts';
import { eraseRecordings, sweep } from '../../src/monitor/retention.ts';
import { readWav, secondsOf } from '../../src/monitor/wav.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type Folder, fileOf, finished, recordingFolder, wav } from './recorder.ts';

const [anna, max] = ['tweber@example.org', 'mmeyer@example.org'] as [BareJid, BareJid];
const day = 24 * 3600_000;
const now = 1_700_000_000_000;

let folder: Folder;
beforeEach(async () => {
  folder = await recordingFolder();
});
afterEach(() => folder.remove());

/** A finished recording of one second, so many days old. */
async function kept(days: number, ...heard: BareJid[]): Promise<CallRecord> {
  const at = now - days * day;
  const record = finished(at, days.toString(16), heard);
  await writeFile(join(folder.dir, fileOf(record)), wav(1));
  await folder.keeping.shelf.note(record, true);
  return record;
}
const left = async () => (await readdir(folder.dir)).filter((name) => name.endsWith('.wav')).sort();

describe('retention', () => {
  it('removes what is too old, but nothing that runs', async () => {
    const { shelf } = folder.keeping;
    const [old, , young] = [await kept(40, anna), await kept(31, anna), await kept(1, anna)];
    const running = new Set([old.id]);
    expect(await sweep(shelf, { keepMs: 30 * day, keepBytes: undefined }, running, now)).toBe(1);
    expect(await left()).toEqual([old.sections[0]?.file, young.sections[0]?.file]);
  });

  it('removes the oldest of what is too much', async () => {
    const { shelf } = folder.keeping;
    const made = [await kept(3, anna), await kept(2, anna), await kept(1, anna)];
    const room = 2 * wav(1).length;
    expect(await sweep(shelf, { keepMs: undefined, keepBytes: room }, new Set(), now)).toBe(1);
    expect(await left()).toEqual(made.slice(1).map(({ sections }) => sections[0]?.file));
    expect(await sweep(shelf, { keepMs: undefined, keepBytes: room }, new Set(), now)).toBe(0);
  });

  it('erases everything in which somebody is heard', async () => {
    await kept(3, anna);
    await kept(2, max, anna);
    const other = await kept(1, max);
    expect(await eraseRecordings(folder.keeping.shelf, anna)).toHaveLength(2);
    expect(await left()).toEqual([other.sections[0]?.file]);
    expect(await eraseRecordings(folder.keeping.shelf, anna)).toEqual([]);
  });

  it('is part of `offhook erase`', async () => {
    const { id } = await kept(3, anna, max);
    const store = createMemoryStore();
    const book = store.ledger('records');
    for (const owner of [anna, max]) book.append(owner, { id, at: Date.now(), text: `with ${anna}` });
    const printed: string[] = [];
    await eraseCommand(
      [anna],
      (use) => use(store),
      () => folder.keeping.shelf,
      (line) => void printed.push(line),
    );
    expect(await left()).toEqual([]);
    expect(printed).toEqual([
      `recordings: 1 with ${anna} erased`,
      `journal: 0 entries of ${anna} erased`,
      `missed: 0 entries of ${anna} erased`,
      `records: 1 entry of ${anna} erased`,
      `missed: ${anna} taken out of 0 calls of queues`,
    ]);
    // Who talked to them has it in a list of their own.
    expect((await book.get(max, id))?.text).toBe('{}');
  });
});

describe('a WAV file', () => {
  it('is read past chunks that are not about sound', () => {
    const plain = wav(1);
    const extra = Buffer.from('LIST\x03\x00\x00\x00abc\x00', 'latin1');
    const file = Buffer.concat([plain.subarray(0, 36), extra, plain.subarray(36)]);
    expect(readWav(file)).toEqual({ byteRate: 16_000, offset: 56, bytes: 16_000 });
  });

  it('that is cut short or none gives nothing, or what is there', () => {
    for (let size = 0; size < 44; size++) expect(readWav(wav(1).subarray(0, size))).toBeUndefined();
    const head = readWav(wav(1));
    expect(head && secondsOf(head, 44 + 8000)).toBe(0.5);
    expect(head && secondsOf(head, 10)).toBe(0);
    const silent = wav(1);
    silent.writeUInt32LE(0, 28);
    expect(readWav(silent)).toBeUndefined();
  });
});
