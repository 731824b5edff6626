/** The directory in which the telephone system writes recordings, and their sidecars: looked into by name, never by path. */

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, opendir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fail } from '../errors.ts';
import type { Log } from '../log.ts';
import { type CallRecord, idSince, isRecordFile, isRecordId, parseRecord } from './record.ts';
import { headBytes, readWav, secondsOf } from './wav.ts';

/** An open recording; whoever opened it closes it. */
export interface Audio {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
  /** Seconds of sound; 0 where the file is no WAV file (yet). */
  readonly seconds: number;
}

/** What became of a sidecar: written; not possible now; or the one that was there before was removed, and none is made again. */
export type Noted = 'kept' | 'failed' | 'gone';

/** The directory of recordings. */
export interface Shelf {
  /** Throws `Failure` `not-available` where nothing can be recorded now; the operator is told why. */
  check(): Promise<void>;
  /** Whether the file is there, or comes within `ms`. */
  appears(file: string, ms: number): Promise<boolean>;
  /** Opens a recording; undefined where there is none of this name, or it is no plain file of its own. */
  open(file: string): Promise<Audio | undefined>;
  /** Keeps what is known of a recording beside it; `isNew`: for the first time. Never rejects: the operator is told. */
  note(record: CallRecord, isNew: boolean): Promise<Noted>;
  read(id: string): Promise<CallRecord | undefined>;
  /** Everything that is noted and began after `since` (epoch milliseconds, default: ever), in no order. */
  all(since?: number): AsyncGenerator<CallRecord>;
  /** Bytes of all files of a recording. */
  size(record: CallRecord): Promise<number>;
  /** Removes a recording's files and what is noted of it; what is not there is ignored. */
  remove(record: CallRecord): Promise<void>;
  /** Removes one file, as made by us; one that is not there is ignored. */
  drop(file: string): Promise<void>;
}

// O_NOFOLLOW: a link is never opened. O_NONBLOCK: neither is a pipe waited for.
const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
// Nor is anything written where a link leads.
const replaceOnly = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
const maxSidecarBytes = 1024 * 1024;

const complaintTexts = {
  directory: 'the directory of recordings cannot be used: nothing is recorded',
  full: 'the disk of the recordings is full: nothing more is recorded',
  file: 'the telephone system writes no file: do both sides see the same directory, and may Asterisk write there?',
  note: 'what is known of a recording cannot be written beside it',
} as const;
type Complaint = keyof typeof complaintTexts;

/** Makes it. `minFreeBytes` of the file system must be left, or nothing more is recorded. */
export function createShelf(options: {
  readonly dir: string;
  readonly minFreeBytes: number;
  readonly log: Log;
}): Shelf {
  const { dir, minFreeBytes, log } = options;
  /** What the operator was told and is so still: a full disk is one line, not one a call. */
  const complaints = new Set<string>();

  function complain(what: Complaint, reason: string): void {
    const text = complaintTexts[what];
    if (!complaints.has(what)) log.error({ dir, reason }, text);
    complaints.add(what);
  }

  async function openPlain(name: string): Promise<{ handle: FileHandle; size: number } | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(join(dir, name), readOnly);
    } catch {
      return undefined;
    }
    const info = await handle.stat();
    // A second name of the same file may lie anywhere; none has what was replaced at this moment.
    if (info.isFile() && info.nlink <= 1) return { handle, size: info.size };
    await handle.close();
    return undefined;
  }

  async function readSidecar(id: string): Promise<CallRecord | undefined> {
    const opened = await openPlain(`${id}.json`);
    if (opened === undefined) return undefined;
    try {
      if (opened.size > maxSidecarBytes) return undefined;
      const record = parseRecord(await opened.handle.readFile('utf8'));
      return record?.id === id ? record : undefined;
    } finally {
      await opened.handle.close();
    }
  }

  async function openAudio(file: string): Promise<Audio | undefined> {
    const opened = isRecordFile(file) ? await openPlain(file) : undefined;
    if (opened === undefined) return undefined;
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await opened.handle.read(head, 0, headBytes, 0);
    const sound = readWav(head.subarray(0, bytesRead));
    return { ...opened, seconds: sound === undefined ? 0 : secondsOf(sound, opened.size) };
  }

  async function isGone(path: string): Promise<boolean> {
    try {
      await lstat(path);
      return false;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
      throw error;
    }
  }

  async function drop(file: string): Promise<void> {
    await rm(join(dir, file), { force: true });
  }

  return {
    async check() {
      let free: number;
      try {
        const { bavail, bsize } = await statfs(dir);
        free = bavail * bsize;
      } catch (error) {
        complain('directory', String(error));
        return fail(
          'not-available',
          'Recordings cannot be kept at the moment: please tell your administrator.',
        );
      }
      if (free < minFreeBytes) {
        complain('full', `${free} bytes are free`);
        return fail(
          'not-available',
          'There is no room for further recordings: please tell your administrator.',
        );
      }
      complaints.delete('directory');
      complaints.delete('full');
    },
    async appears(file, ms) {
      const step = 50;
      for (let waited = 0; ; waited += step) {
        const opened = isRecordFile(file) ? await openPlain(file) : undefined;
        await opened?.handle.close();
        if (opened !== undefined) {
          complaints.delete('file');
          return true;
        }
        if (waited >= ms) break;
        await setTimeout(step);
      }
      complain('file', `${file} did not appear within ${ms} ms`);
      return false;
    },
    open: openAudio,
    async note(record, isNew) {
      const name = join(dir, `${record.id}.json`);
      try {
        // Whole or not at all: a crash leaves no half of it.
        await writeFile(`${name}.new`, JSON.stringify(record), { mode: 0o640, flag: replaceOnly });
        // Whoever removed it, for somebody's sake, does not find it again.
        if (!isNew && (await isGone(name))) {
          await rm(`${name}.new`, { force: true });
          return 'gone';
        }
        await rename(`${name}.new`, name);
        complaints.delete('note');
        return 'kept';
      } catch (error) {
        complain('note', String(error));
        await rm(`${name}.new`, { force: true }).catch(() => {});
        return 'failed';
      }
    },
    read: async (id) => (isRecordId(id) ? readSidecar(id) : undefined),
    async *all(since = 0) {
      const first = idSince(since);
      const entries = await opendir(dir);
      for await (const entry of entries) {
        const id = entry.name.replace(/\.json$/, '');
        if (!isRecordId(id) || id === entry.name || id < first) continue;
        const record = await readSidecar(id);
        if (record !== undefined) yield record;
      }
    },
    async size(record) {
      let sum = 0;
      for (const { file } of record.sections) {
        const opened = await openPlain(file);
        sum += opened?.size ?? 0;
        await opened?.handle.close();
      }
      return sum;
    },
    async remove(record) {
      // The note last: what could not be removed is found again.
      for (const { file } of record.sections) await drop(file);
      await rm(join(dir, `${record.id}.json`), { force: true });
    },
    drop,
  };
}
