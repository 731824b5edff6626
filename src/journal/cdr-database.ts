/** Call records in a database, as cdr_pgsql, cdr_odbc, cdr_adaptive_odbc, cdr_mysql and FreePBX keep them. Tables of years are never read whole. */

import { setImmediate } from 'node:timers/promises';
import { hasColumn } from '../database/columns.ts';
import { type Database, SqlError } from '../database/database.ts';
import type { Zone } from '../zone.ts';
import { type CdrRecords, type CdrRow, type CdrSource, recordOf } from './cdr.ts';

/** Where the records are. */
export interface CdrDatabase {
  /** Connects; asked for each reading, which are few and far between, and closed after it. */
  readonly open: () => Promise<Database>;
  /** A name, perhaps with that of its schema in front. */
  readonly table: string;
  /** The clock of times that come without a zone. */
  readonly zone: Zone;
  /** Records that are read at the most; the newest ones. */
  readonly most?: number;
  /** How long one reading may take, milliseconds: there may be no index, and nobody waits. Default: 30,000. */
  readonly readMs?: number;
}

/** Without one of these there is nothing to be told. When it began is in the one or the other. */
const needed = ['channel', 'dstchannel', 'duration', 'disposition'] as const;
const starts = ['calldate', 'start'] as const;
const useful = ['src', 'dst', 'clid', 'billsec', 'uniqueid'] as const;

const hourMs = 3_600_000;
/** Calls may have begun so long before the time in question. Of those that began more than an hour before it, only long ones count. */
const longestMs = 24 * hourMs;
/** Rows that are understood at a time. */
const atOnce = 500;
/** Characters of a value that are read. */
const longest = 255;

/** Makes a source of it. */
export function createCdrDatabase(options: CdrDatabase): CdrSource {
  const { open, table, zone, most = 20_000, readMs = 30_000 } = options;
  return {
    settings: 'CDR_TABLE and CDR_TIME_ZONE',
    async read(since, until) {
      const database = await open();
      const end = performance.now() + readMs;
      const left = () => Math.max(1, end - performance.now());
      try {
        return await readBetween(database, left, since, until);
      } finally {
        await database.stop();
      }
    },
  };

  async function readBetween(
    database: Database,
    left: () => number,
    since: number,
    until: number,
  ): Promise<CdrRecords> {
    const { quote, text } = database.dialect;
    const name = table.split('.').map(quote).join('.');
    const columns = await columnsOf(database, left, name);
    const began = quote(columns.start);
    const write = await writer(database, left, name, began);
    if (write === undefined) return { rows: [], skipped: 0, complete: true };
    const picked = columns.all.map((each) => `SUBSTR(${text(quote(each))}, 1, ${longest}) AS ${quote(each)}`);
    const rows = await database.query(
      `SELECT ${picked.join(', ')} FROM ${name} WHERE ${began} >= ? AND ${began} <= ? AND (${began} >= ? OR duration >= ?) ORDER BY ${began} DESC LIMIT ${most}`,
      [write(since - longestMs), write(until + hourMs), write(since - hourMs), hourMs / 1000],
      left(),
    );
    const records: CdrRow[] = [];
    for (const [index, row] of rows.entries()) {
      // Calls are waiting meanwhile.
      if (index % atOnce === 0) await setImmediate();
      const record = recordOf((column) => row[column], zone);
      if (record !== undefined) records.push(record);
    }
    return {
      rows: records.filter(({ end }) => end >= since && end <= until),
      skipped: rows.length - records.length,
      complete: rows.length < most,
    };
  }

  async function columnsOf(database: Database, left: () => number, name: string) {
    // The database's own words where the table is not there, or must not be read.
    await database.query(`SELECT 1 FROM ${name} WHERE 1 = 0`, [], left());
    const has = (column: string) => hasColumn(database, name, column, left());
    const found = new Set<string>();
    for (const column of [...starts, ...needed, ...useful]) if (await has(column)) found.add(column);
    const start = starts.find((column) => found.has(column));
    const missing = needed.filter((column) => !found.has(column));
    if (start === undefined || missing.length > 0) {
      const names = start === undefined ? [starts.join(' or '), ...missing] : missing;
      throw new SqlError(`the table ${table} has no ${names.join(', ')} that this user may read`);
    }
    return { start, all: [start, ...needed, ...useful.filter((column) => found.has(column))] };
  }

  /** How times are written there, to be compared with; undefined where nothing is. */
  async function writer(database: Database, left: () => number, name: string, began: string) {
    const sql = `SELECT ${database.dialect.text(began)} AS at FROM ${name} WHERE ${began} IS NOT NULL LIMIT 1`;
    const [row] = await database.query(sql, [], left());
    if (row === undefined) return undefined;
    const at = String(row.at);
    if (/^\d+(\.\d+)?$/.test(at)) return (ms: number) => Math.floor(ms / 1000);
    if (/[+-]\d\d(:\d\d)?$/.test(at.slice(10))) return (ms: number) => new Date(ms).toISOString();
    return (ms: number) => zone.write(ms).slice(0, 19).replace('T', ' ');
  }
}
