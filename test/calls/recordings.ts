/** The recordings of a real Asterisk: bytes of the AMI connection, and beside them what the telephones did. */

import { readdirSync, readFileSync } from 'node:fs';
import type { PbxEvent } from '../../src/pbx/events.ts';
import { forEachEvent, type Sidecar } from '../../src/replay/replay.ts';

const folder = new URL('./traces/', import.meta.url);

/** One recording. */
export interface Recording {
  readonly name: string;
  readonly title: string;
  readonly bytes: Buffer;
  readonly sidecar: Sidecar & {
    readonly steps: readonly { readonly t: number; readonly text: string }[];
    /** What the telephones' SIP side saw, e.g. `340 call 370 -> ringing`; negative times belong to an earlier recording. */
    readonly phones?: readonly (readonly [t: number, text: string])[];
  };
  events(): readonly PbxEvent[];
}

/** All recordings, in the order of their names. */
export const recordings: readonly Recording[] = readdirSync(folder)
  .filter((file) => file.endsWith('.ami'))
  .sort()
  .map((file) => {
    const name = file.slice(0, -'.ami'.length);
    const bytes = readFileSync(new URL(file, folder));
    const sidecar = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    const events: PbxEvent[] = [];
    return {
      name,
      title: sidecar.title,
      bytes,
      sidecar,
      events() {
        if (events.length === 0) forEachEvent(bytes, sidecar, (event) => events.push(event));
        return events;
      },
    };
  });
