/** The end of a file of call detail records: files of years are never read whole. */

import { open } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type CdrForm, type CdrRecords, type CdrRow, type CdrSource, parseCdr } from './cdr.ts';

/** Where the records are, and their form. */
export interface CdrFile extends CdrForm {
  readonly path: string;
}

/** How much of the end is read: more and more, until it reaches back far enough. */
const windows = [256 * 1024, 2 * 1024 * 1024, 16 * 1024 * 1024];

/** Makes a source of it. */
export function createCdrFile(file: CdrFile): CdrSource {
  return { settings: 'CDR_COLUMNS', read: (since, until) => readTail(file, since, until) };
}

async function readTail(file: CdrFile, since: number, until: number): Promise<CdrRecords> {
  const handle = await open(file.path, 'r');
  try {
    const { size } = await handle.stat();
    let tail: CdrRecords = { rows: [], skipped: 0, complete: true };
    for (const window of windows) {
      const from = Math.max(0, size - window);
      const buffer = Buffer.alloc(size - from);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
      const whole = buffer.toString('utf8', 0, bytesRead);
      // The first line may be the rest of one.
      const text = from === 0 ? whole : whole.slice(whole.indexOf('\n') + 1);
      const { rows, skipped } = await parseInSlices(text, file);
      // Records are written when calls end: in the order of their ends, give or take a batch (cdr.conf).
      const complete = from === 0 || (rows[0] !== undefined && rows[0].end < since - marginMs);
      tail = { rows: rows.filter(({ end }) => end >= since && end <= until), skipped, complete };
      if (complete) return tail;
    }
    return tail;
  } finally {
    await handle.close();
  }
}

const marginMs = 600_000;
/** Characters that are parsed at a time: calls are waiting meanwhile. */
const sliceLength = 128 * 1024;

async function parseInSlices(text: string, form: CdrForm): Promise<{ rows: CdrRow[]; skipped: number }> {
  const whole: { rows: CdrRow[]; skipped: number } = { rows: [], skipped: 0 };
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from + sliceLength);
    const to = end < 0 ? text.length : end + 1;
    const { rows, skipped } = parseCdr(text.slice(from, to), form);
    for (const row of rows) whole.rows.push(row);
    whole.skipped += skipped;
    from = to;
    await setImmediate();
  }
  return whole;
}
