/** Fills gaps of the journal from Asterisk's call records: calls whose end nobody saw, and those of which the bridge saw nothing. */

import type { Log } from '../log.ts';
import type { Ledger } from '../store/store.ts';
import { type CdrEntry, type CdrNames, entriesOf } from './cdr.ts';
import { type CdrFile, readCdr } from './cdr-file.ts';
import { decodeEntry, type Entry, encodeEntry, type JournalChange } from './entry.ts';

/** What {@link createCompletion} needs. */
export interface CompletionOptions {
  readonly book: Pick<Ledger, 'append' | 'replace' | 'read'>;
  readonly file: CdrFile;
  readonly names: () => CdrNames;
  readonly tell: (changes: readonly JournalChange[]) => void;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** When the records are read, milliseconds after a gap. Asterisk may write them in batches of five minutes (cdr.conf). */
  readonly afterMs?: readonly number[];
}

/** Fills gaps. */
export interface Completion {
  /** Nobody heard the telephone system in this time, epoch milliseconds. */
  gap(from: number, to: number): void;
  stop(): void;
}

/** Times in records are whole seconds, and the clocks of two machines. */
const blurMs = 2000;
/** Entries among which that of a record is looked for. */
const nearby = 200;

/** Makes it, with no gap. */
export function createCompletion(options: CompletionOptions): Completion {
  const { book, file, names, tell, log, now, afterMs = [10_000, 330_000] } = options;
  /** The gaps that are not filled yet, as one. */
  let open: { from: number; to: number } | undefined;
  let timers: NodeJS.Timeout[] = [];

  async function fill(from: number, to: number): Promise<void> {
    try {
      const { rows, skipped, complete } = await readCdr(file, from - blurMs);
      let filled = 0;
      for (const each of entriesOf(
        rows.filter(({ end }) => end <= to + blurMs),
        names(),
      ))
        if (await enter(each)) filled += 1;
      const found = { filled, skipped, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      if (!complete) log.warn(found, 'journal: the call records reach back further than is read of them');
      else if (rows.length === 0 && skipped > 0)
        log.warn(found, 'journal: lines of CDR_FILE are no records: check CDR_COLUMNS');
      else log.info(found, 'journal: completed from the call records');
    } catch (error) {
      log.warn({ reason: String(error) }, 'journal: not completed from the call records');
    }
  }

  /** Enters what the journal does not have, or does not know for certain. */
  async function enter({ owner, entry }: CdrEntry): Promise<boolean> {
    const known = await find(owner, entry);
    if (known?.certain === true) return false;
    const made: Entry =
      known === undefined
        ? entry
        : {
            ...known,
            duration: entry.duration,
            connected: entry.connected,
            result: entry.result,
            details: '',
            certain: true,
          };
    const text = encodeEntry(made);
    if (known === undefined) book.append(owner, { id: made.id, at: made.timestamp, text });
    else book.replace(owner, made.id, text);
    tell([{ kind: 'journal', type: known === undefined ? 'new' : 'update', owner, entry: made, at: now() }]);
    return true;
  }

  /** The entry of the same call: of the same channel, or with the same id. */
  async function find(owner: CdrEntry['owner'], entry: Entry): Promise<Entry | undefined> {
    for (const { id, at, text } of await book.read(owner, { limit: nearby })) {
      const one = decodeEntry(id, at, text);
      if (one === undefined || one.inbound !== entry.inbound) continue;
      // Names of channels come again after a restart of Asterisk.
      const sameTime = Math.abs(at - entry.timestamp) < 3_600_000;
      if (id === entry.id || (sameTime && one.channels.some((channel) => entry.channels.includes(channel))))
        return one;
    }
    return undefined;
  }

  function stop(): void {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  return {
    gap(from, to) {
      open = { from: Math.min(from, open?.from ?? from), to: Math.max(to, open?.to ?? to) };
      const whole = open;
      stop();
      timers = afterMs.map((ms, at) =>
        setTimeout(() => {
          if (at === afterMs.length - 1) open = undefined;
          void fill(whole.from, whole.to);
        }, ms),
      );
    },
    stop,
  };
}
