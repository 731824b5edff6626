/** A monitor of its own for tests: recordings go into a folder, and what the telephone system is told is kept. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Keeping } from '../../src/monitor/monitor.ts';
import { createShelf } from '../../src/monitor/shelf.ts';
import { headBytes, readWav } from '../../src/monitor/wav.ts';
import { numberPattern } from '../../src/rules/pattern.ts';
import type { RecordingPolicy, RecordingRule } from '../../src/rules/policy.ts';

/** A rule; `changes` replace what is usual: everybody may record their own calls. */
export function rule(changes: Partial<RecordingRule> = {}): RecordingRule {
  return {
    name: 'anybody',
    permission: 'allow',
    users: new Set(),
    groups: new Set(),
    roles: new Set(),
    calls: 'own',
    direction: undefined,
    queues: new Set(),
    numbers: [],
    ...changes,
  };
}

/** Rules of an office. */
export function recording(...rules: RecordingRule[]): RecordingPolicy {
  return { rules, announce: undefined, audience: new Set(['participants', 'supervisors']) };
}

/** Number patterns. */
export function numbers(...texts: string[]) {
  return texts.map((text) => {
    const made = numberPattern(text);
    if (made === undefined) throw new Error(`no pattern: ${text}`);
    return made;
  });
}

/** A WAV file with so many seconds of silence, 8000 samples of two bytes each. */
export function wav(seconds: number, claimed = seconds): Buffer {
  const bytes = 16_000 * seconds;
  const file = Buffer.alloc(44 + bytes);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + bytes, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(16_000, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(16_000 * claimed, 40);
  return file;
}

/** A folder for recordings, removed with {@link Folder.remove}. */
export interface Folder {
  readonly dir: string;
  readonly keeping: Keeping;
  /** What the operator was told. */
  readonly complaints: readonly string[];
  /** What Asterisk does when it records. */
  record(path: string, seconds?: number): Promise<void>;
  remove(): Promise<void>;
}

/** Makes it. */
export async function recordingFolder(minFreeBytes = 0): Promise<Folder> {
  const dir = await mkdtemp(join(tmpdir(), 'offhook-recordings-'));
  const complaints: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void complaints.push(line) });
  const shelf = createShelf({ dir, minFreeBytes, log });
  return {
    dir,
    complaints,
    keeping: { shelf, pbxDir: '/var/spool/recordings', keepMs: undefined, keepBytes: undefined },
    record: (path, seconds = 2) => writeFile(join(dir, path.split('/').at(-1) ?? ''), wav(seconds)),
    // A note may be on its way still.
    remove: () => rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }),
  };
}

/** How long a tone is heard in a WAV file with samples of two bytes, seconds: of pieces of 50 ms each. */
export function heardFor(file: Buffer, hertz: number): number {
  const sound = readWav(file.subarray(0, headBytes));
  if (sound === undefined) return 0;
  const rate = sound.byteRate / 2;
  const size = rate / 20;
  let heard = 0;
  for (let at = sound.offset; at + 2 * size <= file.length; at += 2 * size) {
    let [re, im] = [0, 0];
    for (let each = 0; each < size; each += 1) {
      const turn = (2 * Math.PI * hertz * each) / rate;
      const sample = file.readInt16LE(at + 2 * each);
      re += sample * Math.cos(turn);
      im += sample * Math.sin(turn);
    }
    if ((2 * Math.hypot(re, im)) / size > 1500) heard += 1 / 20;
  }
  return heard;
}
