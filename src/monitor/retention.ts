/** What becomes of old recordings. */

import type { BareJid } from '../protocol/jid.ts';
import { type CallRecord, participants } from './record.ts';
import type { Shelf } from './shelf.ts';

/** How long a recording is kept, milliseconds, and how much of them all, bytes; undefined: for ever, everything. */
export interface Retention {
  readonly keepMs: number | undefined;
  readonly keepBytes: number | undefined;
}

/**
 * Removes what is too old, and the oldest of what is too much; never what runs (ids in `running`). Resolves with how many
 * recordings went. Rejects where the directory cannot be read or changed.
 */
export async function sweep(
  shelf: Shelf,
  { keepMs, keepBytes }: Retention,
  running: ReadonlySet<string>,
  now: number,
): Promise<number> {
  const oldest = keepMs === undefined ? 0 : now - keepMs;
  const kept: { readonly record: CallRecord; readonly size: number }[] = [];
  let removed = 0;
  for await (const record of shelf.all()) {
    if (running.has(record.id)) continue;
    if (record.at < oldest) {
      await shelf.remove(record);
      removed += 1;
    } else if (keepBytes !== undefined) kept.push({ record, size: await shelf.size(record) });
  }
  if (keepBytes === undefined) return removed;
  let sum = kept.reduce((bytes, { size }) => bytes + size, 0);
  kept.sort((a, b) => a.record.at - b.record.at);
  for (const { record, size } of kept) {
    if (sum <= keepBytes) break;
    await shelf.remove(record);
    sum -= size;
    removed += 1;
  }
  return removed;
}

/** Removes every recording in which somebody is heard, whoever else is in it. Resolves with how many that were. */
export async function eraseRecordings(shelf: Shelf, who: BareJid): Promise<number> {
  let erased = 0;
  for await (const record of shelf.all()) {
    if (!participants(record).has(who)) continue;
    await shelf.remove(record);
    erased += 1;
  }
  return erased;
}
