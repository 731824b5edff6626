/** Notices that a file has become another one: by the system's word where there is one, else by looking. */

import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from './log.ts';

/** What {@link createFileWatch} needs. */
export interface FileWatchOptions {
  readonly path: string;
  /** What the log calls it, e.g. `directory file`. */
  readonly what: string;
  readonly log: Log;
  /** How often the file is looked at where the system does not tell of changes (network file systems), milliseconds. */
  readonly pollMs: number;
  /** A changed file is taken when it has not changed any further for this long, milliseconds. */
  readonly settleMs: number;
  /** The file is another one, and has come to rest. Reads it, and calls {@link FileWatch.mark} before. */
  readonly onChange: () => Promise<void>;
}

/** A file that is watched. */
export interface FileWatch {
  /** Remembers what the file looks like now: it is about to be read. */
  mark(): Promise<void>;
  start(): void;
  /** Resolves when a change that is being taken has been. */
  stop(): Promise<void>;
}

/** Makes it. */
export function createFileWatch(options: FileWatchOptions): FileWatch {
  const { path, what, log, pollMs, settleMs, onChange } = options;
  /** What the file looked like when it was last read, and when it was last seen to be another one. */
  let known = '';
  let unsettled = '';
  let hurried = false;
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let stopped = false;

  /** Reads the file if it is another one than before and has come to rest. Resolves with the wait until the next look. */
  async function look(): Promise<number> {
    const seen = await fingerprint(path);
    if (seen === known) return pollMs;
    if (seen === unsettled) {
      await onChange();
      return pollMs;
    }
    unsettled = seen;
    return settleMs;
  }

  function schedule(delay: number): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      hurried = false;
      looking = look()
        .catch((error: unknown) => {
          log.error({ err: error, file: path }, `${what} could not be looked at`);
          return pollMs;
        })
        .then((next) => {
          looking = undefined;
          schedule(hurried ? settleMs : next);
        });
    }, delay);
    timer.unref();
  }

  /** Something happened in the folder. Never puts off a look that is due: a busy folder must not starve them. */
  function hurry(): void {
    if (hurried) return;
    hurried = true;
    if (looking === undefined) schedule(settleMs);
  }

  return {
    async mark() {
      known = await fingerprint(path);
    },
    start() {
      if (stopped) return;
      try {
        // The folder, not the file: editors and mounted configuration replace the file, or a link above it.
        watcher = watch(dirname(path), { persistent: false }, hurry);
        watcher.on('error', (error) =>
          log.debug({ err: error }, `${what}: no more change events, polling goes on`),
        );
      } catch (error) {
        log.debug({ err: error }, `${what}: no change events, polling only`);
      }
      schedule(pollMs);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      watcher?.close();
      await looking;
    },
  };
}

/** Tells one state of a file from another, through symbolic links; `missing` where there is none. */
async function fingerprint(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(
    ({ ino, size, mtimeNs, ctimeNs }) => `${ino} ${size} ${mtimeNs} ${ctimeNs}`,
    () => 'missing',
  );
}
