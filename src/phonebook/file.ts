/** Persons from a CSV or vCard file, read again whenever it changes. */

import { open } from 'node:fs/promises';
import { createFileWatch } from '../file-watch.ts';
import type { Log } from '../log.ts';
import { readCsv } from './csv.ts';
import type { Person, Source } from './phonebook.ts';
import { decode, type Reading, type ReadingOptions, UnreadableFile } from './reading.ts';
import { inSlices } from './slices.ts';
import { readVcards } from './vcard.ts';

/** What {@link createFilePersons} needs. */
export interface FilePersonsOptions {
  /** Ends with `.vcf` or `.vcard` where it holds vCards; anything else is CSV. */
  readonly path: string;
  readonly reading: ReadingOptions;
  readonly log: Log;
  /** As for `createFileWatch`, milliseconds. */
  readonly pollMs?: number;
  readonly settleMs?: number;
}

/** Bytes of a file: a hundred thousand entries have about ten million. */
const largest = 64 * 1024 * 1024;

/** A file that cannot be read, now or when it has changed, is logged; what was read last stays in force. */
export function createFilePersons(options: FilePersonsOptions): Source {
  const { path, reading: readingOptions, log, pollMs = 2000, settleMs = 100 } = options;
  const watch = createFileWatch({ path, what: 'phonebook file', log, pollMs, settleMs, onChange: read });
  let persons: readonly Person[] = [];
  let listener = () => {};
  let stopped = false;

  async function load(): Promise<Reading | undefined> {
    await watch.mark();
    const text = decode(await bytesOf(path));
    const work = /\.(vcf|vcard)$/i.test(path)
      ? readVcards(text, { ...readingOptions, earlier: persons })
      : readCsv(text, { ...readingOptions, earlier: persons });
    return inSlices(work, () => stopped);
  }

  async function read(): Promise<void> {
    let reading: Reading | undefined;
    try {
      reading = await load();
    } catch (error) {
      const reason =
        error instanceof Error && !(error instanceof UnreadableFile)
          ? `cannot be read: ${error.message}`
          : String(error);
      log.error({ file: path, reason }, 'phonebook file refused, what was read last stays in force');
      return;
    }
    if (reading === undefined) return;
    for (const { line, text } of reading.mistakes) log.warn({ file: path, line }, `phonebook file: ${text}`);
    persons = reading.persons;
    log.info({ file: path, persons: persons.length, skipped: reading.wrong }, 'phonebook file read');
    listener();
  }

  return {
    name: 'file',
    get persons() {
      return persons;
    },
    onChange(listen) {
      listener = listen;
    },
    async start() {
      await read();
      watch.start();
    },
    async stop() {
      stopped = true;
      await watch.stop();
    },
  };
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const stat = await file.stat();
    // A pipe or a device could be read for ever.
    if (!stat.isFile()) throw new UnreadableFile('it is no file');
    if (stat.size > largest) throw new UnreadableFile(`it has ${stat.size} bytes, ${largest} are possible`);
    const bytes = new Uint8Array(stat.size);
    let length = 0;
    // It may be shorter by now, or grow: the watch sees that, too.
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) return bytes.subarray(0, length);
      length += bytesRead;
    }
  } finally {
    await file.close();
  }
}
