/** What is kept of a recording: the sidecar of its files, and the entry in each participant's book. */

import { z } from 'zod';
import { type BareJid, parseJid } from '../protocol/jid.ts';

/** One of our own people in a recorded call, as the call was for them. */
export interface RecordedLeg {
  readonly jid: BareJid;
  /** Uniqueid of their channel: the id of their journal's entry. */
  readonly call: string;
  /** eventId of their channel. */
  readonly channel: string;
  readonly inbound: boolean;
  readonly internal: boolean;
  /** The other party. */
  readonly name: string;
  readonly number: string;
  /** Device that they talked on, as the directory names it. */
  readonly device: string;
  /** When their call began, epoch milliseconds. */
  readonly since: number;
}

/** A stretch of a call, in one file. */
export interface Section {
  /** Name of the file in the directory of recordings. */
  readonly file: string;
  /** Name of the rule by which it was recorded. */
  readonly ruleId: string;
  /** Name of the user who started it; empty where the rule did. */
  readonly identity: string;
  /** Uniqueid of the recorded channel, and what the telephone system calls this recording of it. */
  readonly anchor: string;
  readonly handle: string;
  /** Silence is being written. */
  readonly paused: boolean;
  /** Epoch milliseconds; `to` is 0 while it runs. */
  readonly from: number;
  readonly to: number;
  /** Whose voices are in it. */
  readonly heard: readonly BareJid[];
}

/** A recorded call. A value. */
export interface CallRecord {
  readonly id: string;
  /** When the first section began, epoch milliseconds. */
  readonly at: number;
  readonly legs: readonly RecordedLeg[];
  readonly sections: readonly Section[];
}

/** People in one section, and channels in one record. */
export const MAX_HEARD = 100;
export const MAX_LEGS = 100;

// Made by us: nothing of what a caller sends is ever part of a file's name.
const idForm = /^[0-9]{8}T[0-9]{6}-[0-9a-f]{16}$/;
const fileForm = /^[0-9]{8}T[0-9]{6}-[0-9a-f]{16}-[0-9]{1,4}\.wav$/;

/** Whether a text is the id of a record. */
export function isRecordId(text: string): boolean {
  return idForm.test(text);
}

/** Whether a text is the name of a recording's file. */
export function isRecordFile(text: string): boolean {
  return fileForm.test(text);
}

/** A new id: in the order of time, and not to be guessed. `random` is 16 hexadecimal digits. */
export function recordId(at: number, random: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${random}`;
}

/** The name of a section's file. */
export function sectionFile(id: string, number: number): string {
  return `${id}-${number}.wav`;
}

const jid = z.string().transform((value, context) => {
  const parsed = parseJid(value);
  if (parsed?.bare === value) return parsed.bare;
  context.addIssue({ code: 'custom', message: 'no bare JID' });
  return z.NEVER;
});
const leg = z.object({
  jid,
  call: z.string(),
  channel: z.string(),
  inbound: z.boolean(),
  internal: z.boolean(),
  name: z.string(),
  number: z.string(),
  device: z.string(),
  since: z.number(),
});
const section = z.object({
  file: z.string().regex(fileForm),
  ruleId: z.string(),
  identity: z.string(),
  anchor: z.string(),
  handle: z.string(),
  paused: z.boolean(),
  from: z.number(),
  to: z.number(),
  heard: z.array(jid).max(MAX_HEARD),
});
const schema = z
  .object({
    id: z.string().regex(idForm),
    at: z.number(),
    legs: z.array(leg).max(MAX_LEGS),
    sections: z.array(section).max(1000),
  })
  // Whoever may have one record does not get another one's file by it.
  .refine(({ id, sections }) => sections.every(({ file }) => file.startsWith(`${id}-`)));

/** The text before which ids of a later time stand. */
export function idSince(at: number): string {
  return recordId(at, '');
}

/** Reads what was written with `JSON.stringify`; undefined where the text is none of it. */
export function parseRecord(text: string): CallRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // No JSON at all.
  }
}

/** Everybody of ours who takes part in a record. */
export function participants(record: CallRecord): ReadonlySet<BareJid> {
  return new Set(record.sections.flatMap((each) => each.heard));
}
