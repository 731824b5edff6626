/** Recordings on disk: `NAME.ami`, the server's bytes as they came (or `NAME.ami.gz`), and `NAME.json` beside it, when. */

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Sidecar } from './replay.ts';

/** A recording in memory. */
export interface Recording {
  readonly bytes: Buffer;
  /** Undefined where the file has none: all times are 0 then, unless Asterisk stamped its events. */
  readonly sidecar: Sidecar | undefined;
}

const sidecarSchema = z.object({
  started: z.number(),
  chunks: z.array(z.tuple([z.number(), z.number(), z.number()])).default([]),
});

/** Reads a recording. Throws Error with a sentence for the operator where it cannot be read. */
export function readRecording(path: string): Recording {
  const raw = attempt(path, () => readFileSync(path));
  const bytes = path.endsWith('.gz') ? attempt(path, () => gunzipSync(raw)) : raw;
  const beside = `${path.replace(/(\.ami)?(\.gz)?$/, '')}.json`;
  if (!existsSync(beside)) return { bytes, sidecar: undefined };
  const sidecar = attempt(beside, () => sidecarSchema.parse(JSON.parse(readFileSync(beside, 'utf8'))));
  return { bytes, sidecar };
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is no sidecar of a recording' : String(error);
    throw new Error(`${path} cannot be read: ${reason}`, { cause: error });
  }
}
