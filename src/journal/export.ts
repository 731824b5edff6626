/** Journals for other programs: CSV for spreadsheets, JSON for the rest. */

import { stringify } from 'csv-stringify/sync';
import type { BareJid } from '../protocol/jid.ts';
import type { Ledger } from '../store/store.ts';
import { decodeEntry, type Entry } from './entry.ts';

/** One entry, and whose it is. */
export interface Exported {
  readonly user: BareJid;
  readonly entry: Entry;
}

const pageSize = 500;

/** All entries of these users, one user after the other, newest first. Rejects while the store cannot be read. */
export async function* exportJournals(
  book: Pick<Ledger, 'read'>,
  users: readonly BareJid[],
): AsyncIterable<Exported> {
  for (const user of users) {
    let before: string | undefined;
    for (;;) {
      const page = await book.read(user, { limit: pageSize, before });
      for (const { id, at, text } of page) {
        const entry = decodeEntry(id, at, text);
        if (entry !== undefined) yield { user, entry };
      }
      if (page.length < pageSize) break;
      before = page.at(-1)?.id;
    }
  }
}

const columns = [
  'user',
  'id',
  'time',
  'direction',
  'internal',
  'name',
  'prefix',
  'number',
  'result',
  'details',
  'duration',
  'connected',
  'via',
  'viaDetails',
  'extension',
  'device',
  'deviceName',
  'location',
  'recordId',
] as const;

/** An entry as a row: what people read, and programs too. */
export function rowOf({
  user,
  entry,
}: Exported): Readonly<Record<(typeof columns)[number], string | number | boolean>> {
  const { timestamp, inbound, channels: _channels, ...rest } = entry;
  return {
    ...rest,
    user,
    time: new Date(timestamp).toISOString(),
    direction: inbound ? 'in' : 'out',
  };
}

/** The first line of a CSV file (RFC 4180). */
export const csvHeader = stringify([columns]).trimEnd();

/** One line of a CSV file, without its end. */
export function csvLine(exported: Exported): string {
  const row = rowOf(exported);
  return stringify([columns.map((column) => harmless(String(row[column])))]).replace(/\n$/, '');
}

/** Callers choose their names, and spreadsheets take what begins like this for a formula. Numbers stay as they are. */
function harmless(text: string): string {
  return /^(?:[=@\t\r]|[+-](?![\d ()/.-]+$))/.test(text) ? `'${text}` : text;
}
