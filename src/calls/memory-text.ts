/** A {@link Memory} as text, to be kept in a store. */

import { z } from 'zod';
import type { Memory } from './memory.ts';

/** Raised when the shape changes: what another version wrote is not read. */
const version = 1;

const text = z.string();
const party = z.object({ number: text, name: text });
const row = z.tuple([
  z.literal(version),
  z.boolean(),
  z.object({
    view: z.object({
      channel: text.min(1),
      uniqueId: text.min(1),
      call: text,
      device: text,
      outbound: z.boolean(),
      own: party,
      other: party,
      dialed: text,
      otherDevice: text,
      state: z.enum(['ringing', 'busy', 'ended']),
      held: z.boolean(),
      remoteHeld: z.boolean(),
      busySince: z.number(),
      refChannel: text,
      service: text,
      queue: text,
      from: party,
      since: z.number(),
      takes: z.boolean(),
    }),
    name: text,
    connected: party,
    stale: z.boolean(),
    origin: z.boolean(),
    dialed: text,
    transfer: text,
    redirected: z.boolean(),
    offer: text,
  }),
]);

/** A memory, and whether it is sure that clients have heard it. */
export interface KeptMemory {
  readonly memory: Memory;
  readonly sure: boolean;
}

/** The text of a memory. */
export function encodeMemory({ memory, sure }: KeptMemory): string {
  return JSON.stringify([version, sure, memory]);
}

/** The memory behind a text; undefined where another version, or no bridge at all, wrote it. */
export function decodeMemory(written: string): KeptMemory | undefined {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return undefined; // Told apart from a memory by the caller.
  }
  const parsed = row.safeParse(value);
  if (!parsed.success) return undefined;
  const [, sure, memory] = parsed.data;
  // The names were names of channels and devices when they were written.
  return { memory: memory as Memory, sure };
}
