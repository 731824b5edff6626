/** What becomes of old recordings. */

import type { Log } from '../log.ts';
import type { BareJid } from '../protocol/jid.ts';
import { type CallRecord, participants } from './record.ts';
import type { Shelf } from './shelf.ts';

/** How long a recording is kept, milliseconds, and how much of them all, bytes; undefined: for ever, everything. */
export interface Retention {
  readonly keepMs: number | undefined;
  readonly keepBytes: number | undefined;
}

/** What {@link startSweeping} needs. */
export interface SweepingOptions {
  /** Ids of the records that are not to be touched. */
  readonly running: () => ReadonlySet<string>;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const SWEEP_EVERY_MS = 3600_000;
const FIRST_SWEEP_MS = 60_000;

/** Sweeps soon and then every hour, where there is a limit, until what it returns is called. */
export function startSweeping(shelf: Shelf, retention: Retention, options: SweepingOptions): () => void {
  const { running, log, now } = options;
  if (retention.keepMs === undefined && retention.keepBytes === undefined) return () => {};
  const sweepNow = () => {
    sweep(shelf, retention, running(), now()).then(
      (removed) => removed > 0 && log.info({ removed }, 'old recordings were removed'),
      (error) => log.error({ reason: String(error) }, 'old recordings cannot be removed'),
    );
  };
  const first = setTimeout(sweepNow, FIRST_SWEEP_MS).unref();
  const others = setInterval(sweepNow, SWEEP_EVERY_MS).unref();
  return () => {
    clearTimeout(first);
    clearInterval(others);
  };
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
  // No more than that of each: there may be a million.
  const kept: { readonly id: string; readonly at: number; readonly size: number }[] = [];
  let removed = 0;
  for await (const record of shelf.all()) {
    if (running.has(record.id)) continue;
    if (record.at < oldest) {
      await shelf.remove(record);
      removed += 1;
    } else if (keepBytes !== undefined)
      kept.push({ id: record.id, at: record.at, size: await shelf.size(record) });
  }
  if (keepBytes === undefined) return removed;
  let sum = kept.reduce((bytes, { size }) => bytes + size, 0);
  kept.sort((a, b) => a.at - b.at);
  for (const { id, size } of kept) {
    if (sum <= keepBytes) break;
    sum -= size;
    const record = await shelf.read(id);
    // Somebody else has removed it meanwhile.
    if (record === undefined) continue;
    await shelf.remove(record);
    removed += 1;
  }
  return removed;
}

/** Removes every recording in which somebody is heard, whoever else is in it. Resolves with what was known of these. */
export async function eraseRecordings(shelf: Shelf, who: BareJid): Promise<readonly CallRecord[]> {
  const erased: CallRecord[] = [];
  for await (const record of shelf.all()) {
    if (!participants(record).has(who) && record.legs.every(({ jid }) => jid !== who)) continue;
    await shelf.remove(record);
    erased.push(record);
  }
  return erased;
}
