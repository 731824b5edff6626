/** What the journal keeps of a call: one entry for each call and user. */

import type { BareJid } from '../protocol/jid.ts';

/** How a call ended for its user. */
export const results = [
  'hangup',
  'missed',
  'busy',
  'rejected',
  'cancelled',
  'redirect',
  'failed',
  'answered-elsewhere',
] as const;
/** One of {@link results}. */
export type Result = (typeof results)[number];

/** One call of a user. A value; kept as JSON. Texts are empty where there is nothing to say. */
export interface Entry {
  /** Unique among the user's entries: made of what Asterisk calls the channel, so that the same call is never entered twice. */
  readonly id: string;
  /** Epoch milliseconds at which the user's part of the call began. */
  readonly timestamp: number;
  readonly inbound: boolean;
  /** The other party is one of our extensions. */
  readonly internal: boolean;
  /** Whole seconds from the first ring to the end; 0 for a call that was never answered. */
  readonly duration: number;
  /** Whole seconds of talk. */
  readonly connected: number;
  /** Device that talked, or the first that rang, as the telephone system and as the directory names it. */
  readonly device: string;
  readonly deviceName: string;
  /** Place of that device. */
  readonly location: string;
  /** The other party. */
  readonly name: string;
  readonly number: string;
  /** Outside prefix that was dialled in front of `number`. */
  readonly prefix: string;
  readonly result: Result;
  /** Of `redirect`: `to`. `from` for a call that came on from somebody else. Else the cause, where it says more than the result. */
  readonly details: string;
  /** What the call came through: a queue's name, or the number of who sent it on; `viaDetails`: `queue`, `redirect` or `transfer`. */
  readonly via: string;
  readonly viaDetails: string;
  /** The user's own extension by then. */
  readonly extension: string;
  /** Recording of the call. */
  readonly recordId: string;
  /** The user's channels that took part: what a line of Asterisk's call records is found by. */
  readonly channels: readonly string[];
  /** False where nobody saw the end: Asterisk's call records may know better. */
  readonly certain: boolean;
}

/** A user's journal has an entry more, or one that became another. */
export interface JournalChange {
  readonly kind: 'journal';
  readonly type: 'new' | 'update';
  readonly owner: BareJid;
  readonly entry: Entry;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** An entry as it is kept. */
export function encodeEntry({ id: _id, timestamp: _timestamp, ...rest }: Entry): string {
  return JSON.stringify(rest);
}

/** The entry behind a text; undefined where another program, or a later version of this one, wrote it. */
export function decodeEntry(id: string, timestamp: number, text: string): Entry | undefined {
  const row = parse(text);
  if (row === undefined) return undefined;
  const string = (name: string) => (typeof row[name] === 'string' ? row[name] : '');
  const number = (name: string) => (typeof row[name] === 'number' ? row[name] : 0);
  const result = results.find((each) => each === row.result);
  if (result === undefined || typeof row.inbound !== 'boolean') return undefined;
  const channels = Array.isArray(row.channels) ? row.channels : [];
  return {
    id,
    timestamp,
    inbound: row.inbound,
    internal: row.internal === true,
    duration: number('duration'),
    connected: number('connected'),
    device: string('device'),
    deviceName: string('deviceName'),
    location: string('location'),
    name: string('name'),
    number: string('number'),
    prefix: string('prefix'),
    result,
    details: string('details'),
    via: string('via'),
    viaDetails: string('viaDetails'),
    extension: string('extension'),
    recordId: string('recordId'),
    channels: channels.filter((each): each is string => typeof each === 'string'),
    certain: row.certain !== false,
  };
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return typeof row === 'object' && row !== null ? { ...row } : undefined;
  } catch {
    return undefined;
  }
}
