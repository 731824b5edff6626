/** The directory from a YAML file, read again whenever it changes. */

import { readFile } from 'node:fs/promises';
import { type Directory, type DirectorySource, emptyDirectory } from '../directory.ts';
import { createFileWatch } from '../file-watch.ts';
import type { Log } from '../log.ts';
import { parseDirectory } from './parse.ts';

/** What {@link createFileDirectory} needs. */
export interface FileDirectoryOptions {
  readonly path: string;
  /** XMPP domains whose users the file may list; the first is that of users without a `jid`. */
  readonly domains: readonly string[];
  readonly log: Log;
  /** How often the file is looked at where the system does not tell of changes (network file systems), milliseconds. */
  readonly pollMs?: number;
  /** A changed file is read when it has not changed any further for this long, milliseconds. */
  readonly settleMs?: number;
}

/** The file cannot be used. One line a mistake in {@link mistakes}, with file, line and column. */
export class DirectoryFileError extends Error {
  override readonly name = 'DirectoryFileError';
  constructor(readonly mistakes: readonly string[]) {
    super(mistakes.join('\n'));
  }
}

/** More mistakes than this are counted, not listed, when a running bridge is given a wrong file. */
const listedMistakes = 50;

/**
 * `start` rejects with {@link DirectoryFileError}. Afterwards a version that has mistakes or cannot be read is refused with
 * one log line a mistake, and the last good one stays in force.
 */
export function createFileDirectory(options: FileDirectoryOptions): DirectorySource {
  const { path, domains, log, pollMs = 2000, settleMs = 100 } = options;
  const listeners = new Set<(directory: Directory, previous: Directory) => void>();
  let current = emptyDirectory;
  const watch = createFileWatch({ path, what: 'directory file', log, pollMs, settleMs, onChange: reload });
  let stopped = false;

  async function load(): Promise<Directory> {
    await watch.mark();
    const source = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new DirectoryFileError([`${path}: cannot be read (${error.code ?? error.message})`]);
    });
    const parsed = parseDirectory(source, domains);
    if (parsed.ok) return parsed.directory;
    throw new DirectoryFileError(
      parsed.mistakes.map(({ line, column, text }) => `${path}:${line}:${column}: ${text}`),
    );
  }

  async function reload(): Promise<void> {
    let next: Directory;
    try {
      next = await load();
    } catch (error) {
      if (!(error instanceof DirectoryFileError)) throw error;
      for (const mistake of error.mistakes.slice(0, listedMistakes)) log.error({ file: path }, mistake);
      const count = error.mistakes.length;
      log.error(
        { file: path, mistakes: count, version: current.version },
        'directory file refused, the old version stays in force',
      );
      return;
    }
    if (stopped || next.version === current.version) return;
    const previous = current;
    current = next;
    log.info({ file: path, users: next.users.length, version: next.version }, 'directory file read');
    for (const listener of listeners) listener(next, previous);
  }

  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      current = await load();
      log.info({ file: path, users: current.users.length, version: current.version }, 'directory file read');
      watch.start();
    },
    async stop() {
      stopped = true;
      await watch.stop();
      listeners.clear();
    },
  };
}
