/** How Prosody and ejabberd keep their archives in SQL (Prosody's mod_storage_sql, ejabberd's mod_mam_sql). */

import { hasColumn } from '../database/columns.ts';
import { type Database, type Dialect, type Row, SqlError, type SqlValue } from '../database/database.ts';
import { type BareJid, parseJid } from '../protocol/jid.ts';
import type { ArchivedMessage, ArchiveQuery } from './archive.ts';
import { likePattern } from './pattern.ts';
import { readStanza } from './stanza.ts';

/** A question. */
export interface Question {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** One server's tables. */
export interface Schema {
  readonly server: 'Prosody' | 'ejabberd';
  /** Messages that may fit, newest first: `limit` of them after the first `offset`. */
  search(query: ArchiveQuery, limit: number, offset: number): Question;
  times(owner: BareJid, peer: BareJid, from: number, to: number, limit: number): Question;
  /** What a row of {@link search} holds; undefined where that is no text. */
  read(row: Row): ArchivedMessage | undefined;
  /** Epoch milliseconds of a row of {@link times}. */
  readTime(row: Row): number;
}

/** Finds out whose tables these are. Throws `SqlError` where they are neither's. */
export async function findSchema(database: Database, timeoutMs: number): Promise<Schema> {
  const has = (table: string, column: string) => hasColumn(database, table, column, timeoutMs);
  if (await has('prosodyarchive', 'sort_id')) return prosody(database.dialect);
  if (!(await has('archive', 'bare_peer'))) {
    throw new SqlError('there is neither a table prosodyarchive nor a table archive');
  }
  // ejabberd's newer schema holds several hosts in one table.
  return ejabberd(database.dialect, await has('archive', 'server_host'));
}

/** Characters of a stanza that is read: everybody fills their own archive, and several searches at a time hold some hundred of them each. */
const longest = 65_536;

/** `column`s of a condition with their values, in order. */
class Conditions {
  readonly #dialect: Dialect;
  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }
  readonly #parts: string[] = [];
  readonly values: SqlValue[] = [];
  add(condition: string, value: SqlValue): this {
    this.#parts.push(condition);
    this.values.push(value);
    return this;
  }
  /** The column is this, letter by letter. */
  is(column: string, value: string): this {
    const exactly = this.#dialect.exactly?.(column);
    this.add(`${column} = ?`, value);
    return exactly === undefined ? this : this.add(exactly, value);
  }
  get sql(): string {
    return this.#parts.join(' AND ');
  }
}

/** Local part and domain of an account. */
function split(owner: BareJid): readonly [local: string, domain: string] {
  const at = owner.indexOf('@');
  return [owner.slice(0, at), owner.slice(at + 1)];
}

function account(text: string): BareJid | undefined {
  return parseJid(text)?.bare;
}

/** Seconds in `when`, the stanza in `value`, the other's JID in `with`; the store of mod_mam is called `archive`. */
function prosody(dialect: Dialect): Schema {
  const { quote, holds } = dialect;
  const [host, user] = [quote('host'), quote('user')];
  const [when, peer] = [quote('when'), quote('with')];
  const of = (owner: BareJid) => {
    const [local, domain] = split(owner);
    return new Conditions(dialect).is(host, domain).is(user, local).add('store = ?', 'archive');
  };
  return {
    server: 'Prosody',
    search({ owner, text, peer: other, from, to }, limit, offset) {
      const where = of(owner);
      if (other !== undefined) where.is(peer, other);
      if (from !== undefined) where.add(`${when} >= ?`, Math.floor(from / 1000));
      if (to !== undefined) where.add(`${when} < ?`, Math.ceil(to / 1000));
      where.add('LENGTH(value) <= ?', longest).add(holds('value'), likePattern(text));
      const sql = `SELECT ${when} AS at, ${peer} AS peer, value FROM prosodyarchive WHERE ${where.sql} ORDER BY ${when} DESC, sort_id DESC LIMIT ${limit} OFFSET ${offset}`;
      return { sql, values: where.values };
    },
    times(owner, other, from, to, limit) {
      const where = of(owner)
        .is(peer, other)
        .add(`${when} >= ?`, Math.floor(from / 1000))
        .add(`${when} <= ?`, Math.ceil(to / 1000));
      const sql = `SELECT ${when} AS at FROM prosodyarchive WHERE ${where.sql} ORDER BY ${when} DESC LIMIT ${limit}`;
      return { sql, values: where.values };
    },
    read(row) {
      const said = readStanza(String(row.value));
      const other = account(String(row.peer));
      return said && other && { at: Number(row.at) * 1000, peer: other, ...said };
    },
    readTime: (row) => Number(row.at) * 1000,
  };
}

/** Microseconds in `timestamp`, the stanza in `xml`, its body in `txt`. Rooms' archives are in the same table, with another `kind`. */
function ejabberd(dialect: Dialect, several: boolean): Schema {
  const of = (owner: BareJid) => {
    const [local, domain] = split(owner);
    const where = new Conditions(dialect).is('username', local);
    return several ? where.is('server_host', domain) : where;
  };
  return {
    server: 'ejabberd',
    search({ owner, text, peer, from, to }, limit, offset) {
      const where = of(owner).add('kind = ?', 'chat');
      if (peer !== undefined) where.is('bare_peer', peer);
      if (from !== undefined) where.add('timestamp >= ?', from * 1000);
      if (to !== undefined) where.add('timestamp < ?', to * 1000);
      where.add('LENGTH(xml) <= ?', longest).add(dialect.holds('txt'), likePattern(text));
      const sql = `SELECT timestamp AS at, bare_peer AS peer, xml FROM archive WHERE ${where.sql} ORDER BY timestamp DESC LIMIT ${limit} OFFSET ${offset}`;
      return { sql, values: where.values };
    },
    times(owner, other, from, to, limit) {
      const where = of(owner)
        .is('bare_peer', other)
        .add('timestamp >= ?', from * 1000)
        // Up to the end of that millisecond.
        .add('timestamp < ?', (to + 1) * 1000);
      const sql = `SELECT timestamp AS at FROM archive WHERE ${where.sql} ORDER BY timestamp DESC LIMIT ${limit}`;
      return { sql, values: where.values };
    },
    read(row) {
      const said = readStanza(String(row.xml));
      const other = account(String(row.peer));
      return said && other && { at: Math.floor(Number(row.at) / 1000), peer: other, ...said };
    },
    readTime: (row) => Math.floor(Number(row.at) / 1000),
  };
}
