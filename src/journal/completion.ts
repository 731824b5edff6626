/** Fills gaps of the journal from Asterisk's call records: calls whose end nobody saw, and those of which the bridge saw nothing. */

import { createBackoff } from '../backoff.ts';
import type { Log } from '../log.ts';
import type { Ledger, Store } from '../store/store.ts';
import { type CdrEntry, type CdrNames, type CdrSource, entriesOf } from './cdr.ts';
import { decodeEntry, type Entry, encodeEntry, type JournalChange } from './entry.ts';

/** What {@link createCompletion} needs. */
export interface CompletionOptions {
  readonly book: Pick<Ledger, 'append' | 'replace' | 'read'>;
  /** Keeps a gap that is not filled for the next bridge. */
  readonly store: Pick<Store, 'saveFact' | 'deleteFact'>;
  readonly source: CdrSource;
  readonly names: () => CdrNames;
  readonly tell: (changes: readonly JournalChange[]) => void;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** When the records are read, milliseconds after a gap. Asterisk may write them in batches of five minutes (cdr.conf). */
  readonly afterMs?: readonly number[];
  /** The wait before the records are asked for again that could not be read, milliseconds; it doubles, up to the longest. */
  readonly againMs?: number;
  readonly longestMs?: number;
}

/** Fills gaps. */
export interface Completion {
  /** Nobody heard the telephone system in this time, epoch milliseconds. */
  gap(from: number, to: number): void;
  /** Takes up the gap that an earlier bridge has not filled, from what the store holds. */
  resume(facts: ReadonlyMap<string, string>): void;
  stop(): void;
}

const gapFact = 'journal-gap';
/** With waits up to an hour: a day. */
const tries = 28;
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
  const { book, store, source, names, tell, log, now, afterMs = [10_000, 330_000] } = options;
  const { againMs = 60_000, longestMs = 3_600_000 } = options;
  /** The gaps that are not filled yet, as one. */
  let open: { readonly from: number; readonly to: number } | undefined;
  let timers: NodeJS.Timeout[] = [];

  /** One reading after the other: two at a time would enter the same calls. Resolves with whether the records could be read. */
  let reading = Promise.resolve(true);
  let readings = 0;
  function fill(from: number, to: number): Promise<boolean> {
    readings += 1;
    reading = reading
      .then(() => read(from, to))
      .finally(() => {
        readings -= 1;
      });
    return reading;
  }

  async function read(from: number, to: number): Promise<boolean> {
    try {
      const { rows, skipped, complete } = await source.read(from - blurMs, to + blurMs);
      const filled = await enterAll(entriesOf(rows, names()));
      const found = { filled, skipped, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      if (!complete) log.warn(found, 'journal: there are more call records than are read of them');
      else if (rows.length === 0 && skipped > 0)
        log.warn(found, `journal: what is there are no call records: check ${source.settings}`);
      else log.info(found, 'journal: completed from the call records');
      return true;
    } catch (error) {
      log.warn({ reason: String(error) }, 'journal: not completed from the call records');
      return false;
    }
  }

  /** The last reading of a gap, which is done until it succeeds. */
  async function settle(): Promise<void> {
    const whole = open;
    if (whole === undefined) return;
    const backoff = createBackoff({ minMs: againMs, maxMs: longestMs });
    let left = tries;
    const attempt = async () => {
      left -= 1;
      const done = await fill(whole.from, whole.to);
      // Stopped, or part of another one by now.
      if (open !== whole) return;
      if (!done && left > 0) {
        timers = [setTimeout(() => void attempt(), backoff.next())];
        return;
      }
      if (!done) log.error({ tries }, 'journal: a gap stays, the call records cannot be read');
      open = undefined;
      store.deleteFact(gapFact);
    };
    await attempt();
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

  function wait(): void {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  function gap(from: number, to: number): void {
    open = { from: Math.min(from, open?.from ?? from), to: Math.max(to, open?.to ?? to) };
    const whole = open;
    store.saveFact(gapFact, `${whole.from} ${whole.to}`);
    wait();
    timers = afterMs.map((ms, at) => {
      const isLast = at === afterMs.length - 1;
      return setTimeout(() => {
        if (isLast) void settle();
        // Slower than the line that comes and goes: the last reading will do.
        else if (readings === 0) void fill(whole.from, whole.to);
      }, ms);
    });
  }

  return {
    gap,
    resume(facts) {
      const [from = 0, to = 0] = (facts.get(gapFact) ?? '').split(' ').map(Number);
      if (from > 0 && to >= from) gap(from, to);
    },
    stop() {
      wait();
      // What is being read is entered still, and not asked for again.
      open = undefined;
    },
  };
}
