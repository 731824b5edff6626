/** Asterisk's call detail records as journal entries: what the bridge was not there to hear. Pure. */

import { parse } from 'csv-parse/sync';
import type { Directory, User } from '../directory.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { Zone } from '../zone.ts';
import { placeOf, splitPrefix } from './describe.ts';
import type { Entry, Result } from './entry.ts';

/** One record. Texts are empty where there is no such column. Times in epoch milliseconds. */
export interface CdrRow {
  readonly src: string;
  readonly dst: string;
  readonly clid: string;
  readonly channel: string;
  readonly dstchannel: string;
  readonly start: number;
  readonly end: number;
  /** Seconds of talk. */
  readonly billsec: number;
  readonly disposition: string;
  readonly uniqueid: string;
}

/** Records of some time. */
export interface CdrRecords {
  readonly rows: readonly CdrRow[];
  /** What is no record. */
  readonly skipped: number;
  /** False where there are more than are read. */
  readonly complete: boolean;
}

/** Where Asterisk keeps its records. */
export interface CdrSource {
  /** The settings that say how it is read. */
  readonly settings: string;
  /** The records of calls that ended between these times, epoch milliseconds, both included. Rejects where it cannot be read. */
  read(since: number, until: number): Promise<CdrRecords>;
}

/** How a file is to be read. */
export interface CdrForm {
  readonly columns: readonly string[];
  /** The clock of its times. */
  readonly zone: Zone;
}

/** The records in a text; lines that are none are left out, and counted. */
export function parseCdr(text: string, { columns, zone }: CdrForm): Pick<CdrRecords, 'rows' | 'skipped'> {
  const records: unknown[] = parse(text, {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: 65_536,
  });
  const rows = records.flatMap((record) => {
    if (!Array.isArray(record)) return [];
    const cells: readonly unknown[] = record;
    return recordOf((column) => cells[columns.indexOf(column)], zone) ?? [];
  });
  return { rows, skipped: records.length - rows.length };
}

/**
 * A record by its columns; undefined where it is none. When it ended is in `end`, or follows from `duration`; when it began is in `start` or
 * `calldate`, as cdr_csv and the databases have it.
 */
export function recordOf(column: (name: string) => unknown, zone: Zone): CdrRow | undefined {
  const cell = (name: string) => {
    const value = column(name);
    return typeof value === 'string' ? value : '';
  };
  const start = timeOf(cell('start') || cell('calldate'), zone);
  const end = cell('end') === '' ? after(start, cell('duration')) : timeOf(cell('end'), zone);
  const channel = cell('channel');
  if (start === undefined || end === undefined || end < start || !channel.includes('/')) return undefined;
  const billsec = Number(cell('billsec'));
  const disposition = cell('disposition');
  return {
    src: cell('src'),
    dst: cell('dst'),
    clid: cell('clid'),
    channel,
    dstchannel: cell('dstchannel'),
    start,
    end,
    billsec: Number.isFinite(billsec) && billsec > 0 ? Math.min(billsec, (end - start) / 1000 + 1) : 0,
    disposition: dispositions.get(disposition) ?? disposition,
    uniqueid: cell('uniqueid'),
  };
}

/** COMPAT: in a column of numbers, and without `dispositionstring`, Asterisk writes its own numbers (cdr.h). */
const dispositions = new Map([
  ['0', 'NO ANSWER'],
  ['1', 'NO ANSWER'],
  ['2', 'FAILED'],
  ['4', 'BUSY'],
  ['8', 'ANSWERED'],
  ['16', 'CONGESTION'],
]);

function after(start: number | undefined, seconds: string): number | undefined {
  const duration = seconds === '' ? Number.NaN : Number(seconds);
  return start === undefined || !Number.isFinite(duration) ? undefined : start + duration * 1000;
}

/** `2026-11-26 12:00:00`, perhaps with a fraction, by the zone's clock; with an offset; or seconds of the epoch. */
function timeOf(text: string, zone: Zone): number | undefined {
  if (/^\d{9,10}(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  const found = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([+-]\d\d)?(:\d\d)?$/.exec(text);
  if (found === null) return undefined;
  const [, time = '', fraction = '', hours, minutes = ':00'] = found;
  const begins = zone.read(hours === undefined ? time : `${time}${hours}${minutes}`)?.begins;
  return begins === undefined ? undefined : begins + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}

/** What entries are made with. */
export interface CdrNames {
  readonly directory: Directory;
  readonly nameOf: (number: string) => string | undefined;
  readonly outsidePrefix: string;
}

/** An entry as the records have it, and whose it is. */
export interface CdrEntry {
  readonly owner: BareJid;
  readonly entry: Entry;
}

interface Leg {
  readonly user: User;
  readonly channel: string;
  readonly row: CdrRow;
}

/** The entries that records stand for: one for each user and call, whichever of the user's telephones rang. */
export function entriesOf(rows: readonly CdrRow[], names: CdrNames): readonly CdrEntry[] {
  const answered = new Set(rows.filter(isAnswered).map(callOf));
  const parts = new Map<string, Leg[]>();
  for (const row of [...rows].sort((a, b) => a.start - b.start)) {
    for (const [direction, channel] of [
      ['out', row.channel],
      ['in', row.dstchannel],
    ] as const) {
      const device = names.directory.deviceOfChannel(channel);
      const user = device && names.directory.byDevice(device)?.user;
      if (user === undefined) continue;
      const key = `${user.jid} ${direction} ${callOf(row)}`;
      parts.set(key, [...(parts.get(key) ?? []), { user, channel, row }]);
    }
  }
  return [...parts].map(([key, legs]) => {
    const inbound = key.includes(' in ');
    return entryOf(legs, inbound, answered, names);
  });
}

/** Records of one call have one unique id, where the file tells it. */
function callOf({ uniqueid, channel, start }: CdrRow): string {
  return uniqueid === '' ? `${channel} ${start}` : uniqueid;
}

function isAnswered({ disposition }: CdrRow): boolean {
  return disposition === 'ANSWERED';
}

function entryOf(
  legs: readonly Leg[],
  inbound: boolean,
  answered: ReadonlySet<string>,
  names: CdrNames,
): CdrEntry {
  const { directory } = names;
  const [first] = legs;
  if (first === undefined) throw new Error('a call without records');
  const talked = legs.filter(({ row }) => isAnswered(row));
  const { user, channel, row } = talked[0] ?? first;
  const since = Math.min(...legs.map((leg) => leg.row.start));
  const end = Math.max(...legs.map((leg) => leg.row.end));
  const device = directory.deviceOfChannel(channel);
  const owner = device && directory.byDevice(device);
  const elsewhere = inbound && talked.length === 0 && answered.has(callOf(row));
  const id = inbound ? `${callOf(first.row)}-in` : callOf(first.row);
  return {
    owner: user.jid,
    entry: {
      id,
      timestamp: since,
      inbound,
      ...(inbound ? callingParty(row, names) : calledParty(first.row, names)),
      duration: talked.length === 0 ? 0 : Math.max(1, Math.round((end - since) / 1000)),
      connected: Math.round(talked.reduce((sum, leg) => sum + leg.row.billsec, 0)),
      device: device ?? '',
      deviceName: owner?.device.name ?? '',
      location: placeOf(user, device ?? '', directory),
      result: elsewhere ? 'answered-elsewhere' : resultOf(row.disposition, inbound),
      details: '',
      via: '',
      viaDetails: '',
      extension: user.extension,
      recordId: '',
      channels: [...new Set(legs.map((leg) => leg.channel))],
      certain: true,
    },
  };
}

type PartyFields = Pick<Entry, 'internal' | 'name' | 'number' | 'prefix'>;

function callingParty(row: CdrRow, { directory, nameOf }: CdrNames): PartyFields {
  const device = directory.deviceOfChannel(row.channel);
  const user = device && directory.byDevice(device)?.user;
  if (user !== undefined) return { internal: true, name: user.fullName, number: user.extension, prefix: '' };
  const signaled = /^"(.*)" <.*>$/.exec(row.clid)?.[1] ?? '';
  return { internal: false, name: nameOf(row.src) ?? signaled, number: row.src, prefix: '' };
}

function calledParty(
  { dst, dstchannel }: CdrRow,
  { directory, nameOf, outsidePrefix }: CdrNames,
): PartyFields {
  const device = directory.deviceOfChannel(dstchannel);
  const user = directory.byExtension(dst) ?? (device && directory.byDevice(device)?.user);
  const dialed = dst === 's' ? '' : dst;
  if (user !== undefined)
    return {
      internal: true,
      name: nameOf(dialed) ?? user.fullName,
      number: dialed || user.extension,
      prefix: '',
    };
  const { prefix, number } = splitPrefix(dialed, outsidePrefix);
  return { internal: false, name: nameOf(number) ?? '', number, prefix };
}

function resultOf(disposition: string, inbound: boolean): Result {
  if (disposition === 'ANSWERED') return 'hangup';
  if (disposition === 'BUSY') return 'busy';
  if (disposition === 'FAILED' || disposition === 'CONGESTION') return 'failed';
  return inbound ? 'missed' : 'cancelled';
}
