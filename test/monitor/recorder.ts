/** A monitor of its own for tests: recordings go into a folder, and what the telephone system is told is kept. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Keeping } from '../../src/monitor/monitor.ts';
import { type CallRecord, recordId, sectionFile } from '../../src/monitor/record.ts';
import { createShelf } from '../../src/monitor/shelf.ts';
import { headBytes, readWav } from '../../src/monitor/wav.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { numberPattern } from '../../src/rules/pattern.ts';
import type { RecordingPolicy, RecordingRule } from '../../src/rules/policy.ts';
import { heardFor } from '../servers/sip/voice.ts';

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

/** The same with a tone in it. */
export function tone(hertz: number, seconds: number): Buffer {
  const file = wav(seconds);
  for (let at = 44; at < file.length; at += 2)
    file.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * hertz * (at - 44)) / 16_000)), at);
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

/** How long a tone is heard in a WAV file with samples of two bytes, seconds. */
export function heardIn(file: Buffer, hertz: number): number {
  const sound = readWav(file.subarray(0, headBytes));
  if (sound === undefined) return 0;
  const count = Math.floor((file.length - sound.offset) / 2);
  const samples = Int16Array.from({ length: count }, (_, each) => file.readInt16LE(sound.offset + 2 * each));
  return heardFor(samples, sound.byteRate / 2, hertz);
}

/** The record of a call that was recorded for a second, in one section; `word` makes its id. */
export function finished(at: number, word: string, heard: readonly BareJid[]): CallRecord {
  const id = recordId(at, word.padStart(16, '0'));
  const section = {
    file: sectionFile(id, 1),
    ruleId: 'r',
    identity: '',
    anchor: '1.1',
    handle: '',
    paused: false,
    from: at,
    to: at + 1000,
    heard,
  };
  return { id, at, legs: [], sections: [section] };
}

/** Its first file. */
export function fileOf({ id }: CallRecord): string {
  return sectionFile(id, 1);
}
