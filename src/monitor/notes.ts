/** What is written down of recordings: beside the files, and in the book of everybody who is heard. */

import type { Log } from '../log.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { Ledger } from '../store/store.ts';
import type { Live } from './live.ts';
import { type CallRecord, parseRecord, participants } from './record.ts';
import type { Shelf } from './shelf.ts';

/** The notes. */
export interface Notes {
  /** Writes the record as it is now. Failure is the shelf's to tell. */
  note(live: Live): void;
  /** Removes what lies in the directory of a record that came to nothing. */
  remove(live: Live, failed: CallRecord): void;
  /** Hands over what an earlier process left running, by the recorded channel; the log says where that cannot be read. */
  leftRunning(found: (anchor: string, record: CallRecord) => void): Promise<void>;
  /** A store that has lost its books gets them back from what lies beside the recordings. */
  rebuild(): void;
  /** What is kept of a recording that somebody asks for; undefined where there is none. */
  find(recordId: string, asking: BareJid): Promise<CallRecord | undefined>;
  /** The newest recordings in which somebody is heard; `before`: those before the one of this id. */
  listOf(owner: BareJid, limit: number, before: string | undefined): Promise<readonly CallRecord[]>;
  /** Resolves when all that is being written is. */
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
/** No call is longer: older records cannot be running. */
const LONGEST_CALL_MS = 2 * 24 * 3600_000;

/** Makes it, with nothing being written. */
export function createNotes({ shelf, book, log, now }: NotesOptions): Notes {
  /** What is being written in the directory. */
  const writes = new Set<Promise<void>>();

  /** Into the book of everybody who is heard. */
  function enter(record: CallRecord): void {
    const text = JSON.stringify({ ...record, sections: record.sections.slice(-MAX_BOOKED) });
    for (const owner of participants(record)) {
      book.append(owner, { id: record.id, at: record.at, text });
      book.replace(owner, record.id, text);
    }
  }

  async function rebuild(shelf: Shelf): Promise<void> {
    if ((await book.owners()).length > 0) return;
    let rebuilt = 0;
    for await (const record of shelf.all()) {
      enter(record);
      rebuilt += 1;
    }
    if (rebuilt > 0) log.info({ rebuilt }, 'the list of recordings was made again from the files');
  }

  /** Changes in the directory about one call, one after the other. `work` does not reject. */
  function inOrder(live: Live, work: () => Promise<void>): void {
    const done = live.writing.then(work).finally(() => writes.delete(done));
    writes.add(done);
    live.writing = done;
  }

  return {
    note(live) {
      const { record } = live;
      enter(record);
      inOrder(live, async () => shelf?.note(record));
    },
    remove(live, failed) {
      inOrder(live, async () => shelf?.remove(failed).catch(() => {}));
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
      rebuild(shelf).catch((error) =>
        log.warn({ reason: String(error) }, 'the list of recordings cannot be checked yet'),
      );
    },
    async find(recordId, asking) {
      const noted = await shelf?.read(recordId);
      if (noted !== undefined) return noted;
      const entry = await book.get(asking, recordId);
      return entry && parseRecord(entry.text);
    },
    async listOf(owner, limit, before) {
      const entries = await book.read(owner, { limit, before });
      return entries.flatMap(({ text }) => parseRecord(text) ?? []);
    },
    async written() {
      await Promise.all(writes);
    },
  };
}
