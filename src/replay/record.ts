/** The flight recorder: the event connection's bytes on disk, for a bug report that becomes a test. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Account } from '../pbx/login.ts';
import { openSession } from '../pbx/session.ts';
import { readLists, snapshotItems } from '../pbx/snapshot.ts';
import type { Address } from '../pbx/socket.ts';
import { translatedEvents } from '../pbx/translate.ts';
import { wantedEvents } from '../pbx/wanted.ts';
import { createRedactor } from './redact.ts';

/** What to record, and where to. */
export interface RecordOptions {
  readonly address: Address;
  readonly account: Account;
  /** Path without ending: `.ami` and `.json` are put behind it. */
  readonly path: string;
  /** Replaces names and long numbers. */
  readonly mask: boolean;
  /** The recording ends when the file has this many bytes. */
  readonly maxBytes: number;
}

/** A recording in the making. */
export interface RecordingRun {
  /** Ends it. */
  stop(): void;
  /** Resolves with the reason for the end when everything is on disk. */
  readonly ended: Promise<{ readonly reason: string; readonly bytes: number }>;
}

const TIMEOUT_MS = 10_000;

/**
 * Logs in, asks for the state as the bridge does, and writes until stopped, cut off or full. Rejects where Asterisk cannot be
 * reached or refuses. Both files are made for the owner only: they tell who called whom.
 */
export async function record({
  address,
  account,
  path,
  mask,
  maxBytes,
}: RecordOptions): Promise<RecordingRun> {
  const started = Date.now();
  const file = createWriteStream(`${path}.ami`, { mode: 0o600 });
  const redactor = createRedactor(mask);
  const chunks: [seconds: number, offset: number, length: number][] = [];
  let offset = 0;
  await once(file, 'open');

  let stop: (reason: string) => void = () => {};
  const session = await openSession({
    ...address,
    account,
    loginTimeoutMs: TIMEOUT_MS,
    actionTimeoutMs: TIMEOUT_MS,
    wanted: wantedEvents([...translatedEvents, ...snapshotItems]),
    onEvent: () => {},
    onBytes(bytes) {
      const clean = redactor.push(bytes);
      if (clean.length === 0) return;
      chunks.push([(Date.now() - started) / 1000, offset, clean.length]);
      offset += clean.length;
      file.write(clean);
      if (offset >= maxBytes) stop(`the file has ${maxBytes} bytes`);
    },
  });
  stop = (reason) => session.close(reason);
  await readLists(session, () => {});

  async function finish() {
    const reason = await session.closed;
    file.end();
    await once(file, 'close');
    const sidecar = {
      title: 'recorded by offhook',
      started: started / 1000,
      bytes: offset,
      masked: mask,
      chunks,
    };
    await writeFile(`${path}.json`, `${JSON.stringify(sidecar)}\n`, { mode: 0o600 });
    return { reason, bytes: offset };
  }
  return { stop: () => stop('stopped'), ended: finish() };
}
