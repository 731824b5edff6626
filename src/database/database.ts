/** A database that is asked, never changed. Types only; `sqlite.ts`, `postgres.ts` and `mysql.ts` are the adapters. */

/** A value in a question or an answer. */
export type SqlValue = string | number | null;

/** A row, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** One database. */
export interface Database {
  /** What differs in its SQL. */
  readonly dialect: Dialect;
  /**
   * Asks; `?` in the SQL stands for the values in order. Rejects with `SqlError` where the database says no, with any other error where it cannot
   * be asked. Takes `timeoutMs` at the most.
   */
  query(sql: string, values: readonly SqlValue[], timeoutMs: number): Promise<readonly Row[]>;
  /** Ends every connection; does not wait long for a server that is not heard of any more. */
  stop(): Promise<void>;
}

/** What differs between databases. */
export interface Dialect {
  /** The name of a column, so that it may be a reserved word. */
  quote(column: string): string;
  /** The column as text, with the times of a column that knows its zone in UTC. */
  text(column: string): string;
  /** What must hold besides `column = ?` where that takes other letters for the same; undefined: nothing. */
  readonly exactly?: (column: string) => string;
  /** A condition: the column holds the pattern (escape `!`), whatever the case. */
  holds(column: string): string;
}

/** The database refused the question, e.g. for a table that is not there. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
}
