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
const nearby = 1000;
/** Names of channels come again after a restart of Asterisk. */
const sameCallMs = 3_600_000;

/** Whether both are of one call: the same id, or a channel in common. */
function isSame(one: Entry, other: Entry): boolean {
  if (one.inbound !== other.inbound) return false;
  if (one.id === other.id) return true;
  const together = Math.abs(one.timestamp - other.timestamp) < sameCallMs;
  return together && one.channels.some((channel) => other.channels.includes(channel));
}

/** Makes it, with no gap. */
export function createCompletion(options: CompletionOptions): Completion {
  const { book, file, names, tell, log, now, afterMs = [10_000, 330_000] } = options;
  /** The gaps that are not filled yet, as one. */
  let open: { from: number; to: number } | undefined;
  let timers: NodeJS.Timeout[] = [];

  async function fill(from: number, to: number): Promise<void> {
    try {
      const { rows, skipped, complete } = await readCdr(file, from - blurMs);
      const filled = await enterAll(
        entriesOf(
          rows.filter(({ end }) => end <= to + blurMs),
          names(),
        ),
      );
      const found = { filled, skipped, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      if (!complete) log.warn(found, 'journal: the call records reach back further than is read of them');
      else if (rows.length === 0 && skipped > 0)
        log.warn(found, 'journal: lines of CDR_FILE are no records: check CDR_COLUMNS');
      else log.info(found, 'journal: completed from the call records');
    } catch (error) {
      log.warn({ reason: String(error) }, 'journal: not completed from the call records');
    }
  }

  /** Enters what the journal does not have, or does not know for certain; resolves with how much that was. */
  async function enterAll(all: readonly CdrEntry[]): Promise<number> {
    let entered = 0;
    for (const owner of new Set(all.map((each) => each.owner))) {
      const page = await book.read(owner, { limit: nearby });
      const known = page.flatMap(({ id, at, text }) => decodeEntry(id, at, text) ?? []);
      for (const each of all) if (each.owner === owner && enter(each, known)) entered += 1;
    }
    return entered;
  }

  function enter({ owner, entry }: CdrEntry, all: readonly Entry[]): boolean {
    const known = all.find((one) => isSame(one, entry));
    if (known?.certain === true) return false;
    const { duration, connected, result } = entry;
    const made: Entry =
      known === undefined ? entry : { ...known, duration, connected, result, details: '', certain: true };
    const text = encodeEntry(made);
    if (known === undefined) book.append(owner, { id: made.id, at: made.timestamp, text });
    else book.replace(owner, made.id, text);
    tell([{ kind: 'journal', type: known === undefined ? 'new' : 'update', owner, entry: made, at: now() }]);
    return true;
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
