/** What is written down of recordings: beside the files, and in the book of everybody who is heard. */

import { type Bounded, createBound } from '../bounds.ts';
import type { Log } from '../log.ts';
import type { BareJid } from '../protocol/jid.ts';
import { readPicked } from '../store/page.ts';
import type { Ledger } from '../store/store.ts';
import type { Live } from './live.ts';
import type { Monitor } from './monitor.ts';
import { type CallRecord, parseRecord, participants } from './record.ts';
import type { Noted, Shelf } from './shelf.ts';

/** The notes. */
export interface Notes extends Bounded {
  /** Writes the record as it is now, and says what became of that. What cannot be written is tried again later. Never rejects. */
  note(live: Live): Promise<Noted>;
  /** Who hears that the files of a record were removed while it ran. */
  onErased(listener: (live: Live) => void): void;
  /** Removes what is kept of a record that came to nothing. */
  remove(live: Live, failed: CallRecord): void;
  /** Hands over what an earlier process left running, by the recorded channel; the log says where that cannot be read. */
  leftRunning(found: (anchor: string, record: CallRecord) => void): Promise<void>;
  /** A store that has lost its books, or the end of them, gets that back from what lies beside the recordings. */
  rebuild(): void;
  /** What is kept of a recording that somebody asks for; undefined where there is none. */
  find(recordId: string, asking: BareJid): Promise<CallRecord | undefined>;
  listOf: Monitor['listOf'];
  /** Tries again, now and then, what could not be written, until what it returns is called. */
  retry(): () => void;
  /** Resolves when all that is being written is, or could not be. */
  written(): Promise<void>;
}

/** What {@link createNotes} needs. */
export interface NotesOptions {
  /** Undefined: nothing can be recorded. */
  readonly shelf: Shelf | undefined;
  /** What each participant has been in, for lists; and what is known where the sidecars cannot be read. */
  readonly book: Ledger;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Sections of a call that its entry in the book holds: the last ones; the sidecar has all. */
const MAX_BOOKED = 10;
/** Records whose sidecars are not written yet: a full disk of a day. The books have them all. */
const MAX_UNWRITTEN = 1000;
const RETRY_EVERY_MS = 30_000;
/** Records that are entered again before the store is waited for. */
const AT_ONCE = 200;
/** How much a store may lack that was never lost as a whole. */
const LONGEST_MISSED_MS = 2 * 24 * 3600_000;
/** No call is longer: older records cannot be running. */
const LONGEST_CALL_MS = 2 * 24 * 3600_000;

/** What a book has of a record. */
function textOf(record: CallRecord): string {
  return JSON.stringify({ ...record, sections: record.sections.slice(-MAX_BOOKED) });
}

/** Leaves nothing of a record in the books of those who are heard but that there was one: an entry alone cannot be removed. */
export function strike(book: Pick<Ledger, 'replace'>, record: CallRecord): void {
  for (const owner of participants(record)) book.replace(owner, record.id, '{}');
}

/** Makes it, with nothing being written. */
export function createNotes({ shelf, book, log, now }: NotesOptions): Notes {
  /** What is being written in the directory. */
  const writes = new Set<Promise<unknown>>();
  /** Writes that have not begun. */
  const next = new Map<Live, Promise<Noted>>();
  /** What is not written yet or could not be, by id, oldest first. */
  const unwritten = new Map<string, Live>();
  const bound = createBound('recording_notes', MAX_UNWRITTEN, () => unwritten.size);
  let erased: (live: Live) => void = () => {};
  let [isOutdated, isRebuilding] = [false, false];

  /** Into the book of everybody who is heard. */
  function enter(record: CallRecord): void {
    const text = textOf(record);
    for (const owner of participants(record)) {
      book.append(owner, { id: record.id, at: record.at, text });
      book.replace(owner, record.id, text);
    }
  }

  /** All that there is where the store has nothing; else what a replica that took over may have missed. Rejects while the store is away. */
  async function rebuild(shelf: Shelf): Promise<void> {
    const isLost = (await book.owners()).length === 0;
    let seen = 0;
    for await (const record of shelf.all(isLost ? 0 : now() - LONGEST_MISSED_MS)) {
      const text = textOf(record);
      for (const owner of participants(record)) book.append(owner, { id: record.id, at: record.at, text });
      seen += 1;
      // No faster than the store takes it.
      if (seen % AT_ONCE === 0) await book.owners();
    }
    if (isLost && seen > 0)
      log.info({ rebuilt: seen }, 'the list of recordings was made again from the files');
  }

  async function rebuildAll(shelf: Shelf): Promise<void> {
    isRebuilding = true;
    while (isOutdated) {
      isOutdated = false;
      await rebuild(shelf).catch((error: unknown) =>
        log.warn({ reason: String(error) }, 'the list of recordings cannot be checked yet'),
      );
    }
    isRebuilding = false;
  }

  /** Changes in the directory about one call, one after the other. `work` does not reject. */
  function inOrder<T>(live: Live, work: () => Promise<T>): Promise<T> {
    const done = live.writing.then(work).finally(() => writes.delete(done));
    writes.add(done);
    live.writing = done;
    return done;
  }

  async function write(live: Live): Promise<Noted> {
    const { record } = live;
    if (live.erased || shelf === undefined) return 'gone';
    const result = await shelf.note(record, !live.noted);
    if (result === 'gone') {
      live.erased = true;
      unwritten.delete(record.id);
      erased(live);
      return result;
    }
    // In the books in any case: they are read where the sidecar cannot be.
    enter(record);
    if (result === 'kept') live.noted = true;
    // One that could not even begin is not tried again; one that has changed meanwhile is written next.
    if (!live.noted || (result === 'kept' && live.record === record)) unwritten.delete(record.id);
    return result;
  }

  /** One that is to come writes what there is by then: a directory that hangs gathers no more. */
  function writeNext(live: Live): Promise<Noted> {
    const known = next.get(live);
    if (known !== undefined) return known;
    const done = inOrder(live, () => {
      if (next.get(live) === done) next.delete(live);
      return write(live);
    });
    next.set(live, done);
    return done;
  }

  function note(live: Live): Promise<Noted> {
    unwritten.set(live.record.id, live);
    for (const oldest of unwritten.keys()) {
      if (unwritten.size <= MAX_UNWRITTEN) break;
      bound.exceed();
      unwritten.delete(oldest);
    }
    return writeNext(live);
  }

  function writeAgain(): void {
    for (const live of unwritten.values()) void writeNext(live);
  }

  return {
    bounds: [bound],
    note,
    onErased(listener) {
      erased = listener;
    },
    retry() {
      const timer = setInterval(writeAgain, RETRY_EVERY_MS).unref();
      return () => clearInterval(timer);
    },
    remove(live, failed) {
      unwritten.delete(failed.id);
      next.delete(live);
      void inOrder(live, async () => {
        live.noted = false;
        strike(book, failed);
        await shelf?.remove(failed).catch(() => {});
      });
    },
    async leftRunning(found) {
      if (shelf === undefined) return;
      try {
        for await (const record of shelf.all(now() - LONGEST_CALL_MS)) {
          const open = record.sections.find((section) => section.to === 0);
          if (open !== undefined) found(open.anchor, record);
        }
      } catch (error) {
        log.error({ reason: String(error) }, 'the directory of recordings cannot be read');
      }
    },
    rebuild() {
      if (shelf === undefined) return;
      // The store may be lost again meanwhile.
      isOutdated = true;
      if (!isRebuilding) void rebuildAll(shelf);
    },
    async find(recordId, asking) {
      const noted = unwritten.get(recordId)?.record ?? (await shelf?.read(recordId));
      if (noted !== undefined) return noted;
      const entry = await book.get(asking, recordId);
      return entry && parseRecord(entry.text);
    },
    listOf: (owner, page, part) =>
      readPicked(book, owner, page, ({ text }) => {
        const record = parseRecord(text);
        return record && part(record);
      }),
    async written() {
      writeAgain();
      await Promise.all(writes);
    },
  };
}
