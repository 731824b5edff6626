/** The archive port on an XMPP server's SQL database. */

import { createBound } from '../bounds.ts';
import type { Database, Row } from '../database/database.ts';
import { Failure, fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BareJid } from '../protocol/jid.ts';
import type { Archive, ArchivedMessage, ArchiveQuery } from './archive.ts';
import { holder } from './pattern.ts';
import { findSchema, type Question, type Schema } from './schema.ts';

/** Bounds of the archive. */
export interface ArchiveLimits {
  /** Questions to the database at a time, and further ones that wait. */
  readonly atOnce: number;
  readonly waiting: number;
  /** Messages that are looked at for one search. */
  readonly candidates: number;
  /** Times of messages that are read to tell conversations apart. */
  readonly times: number;
  /** How long one question may take, milliseconds; a search as a whole may take twice that. */
  readonly queryMs: number;
}

const defaults: ArchiveLimits = { atOnce: 4, waiting: 100, candidates: 5000, times: 5000, queryMs: 4000 };

/** The first question is small: most people look for something recent. Further ones are no larger than may be in memory a few times. */
const pages = [100, 400];
const laterPages = 500;

/** A database whose tables are known. */
interface Opened {
  readonly database: Database;
  readonly schema: Schema;
}

function ask(database: Database, { sql, values }: Question, ms: number): Promise<readonly Row[]> {
  return database.query(sql, values, ms);
}

/** Makes it. Nothing is asked before the first search. */
export function createSqlArchive(options: {
  /** Opens the database. Rejects where it cannot; it is then asked again with the next search. */
  readonly open: () => Promise<Database>;
  readonly log: Log;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  readonly limits?: Partial<ArchiveLimits>;
}): Archive {
  const { open, log, monotonic } = options;
  const limits = { ...defaults, ...options.limits };
  const queue: (() => void)[] = [];
  const bound = createBound('archive_searches_waiting', limits.waiting, () => queue.length);
  let asking = 0;
  let complained = false;
  let opened: Promise<Opened> | undefined;

  async function turn<T>(work: () => Promise<T>): Promise<T> {
    if (asking >= limits.atOnce) {
      if (!bound.admits()) fail('rejected', 'Too many searches are under way: try again in a moment.');
      await new Promise<void>((resolve) => queue.push(resolve));
    } else asking += 1;
    try {
      return await work();
    } finally {
      // Whoever waits gets this one's place.
      const next = queue.shift();
      if (next === undefined) asking -= 1;
      else next();
    }
  }

  async function begin(): Promise<Opened> {
    const database = await open();
    try {
      const schema = await findSchema(database, limits.queryMs);
      log.info({ server: schema.server }, 'the archive of the XMPP server is there');
      return { database, schema };
    } catch (error) {
      await database.stop();
      throw error;
    }
  }

  function known(): Promise<Opened> {
    opened ??= begin().catch((error) => {
      // Asked again next time: the server may have to make its tables first.
      opened = undefined;
      throw error;
    });
    return opened;
  }

  /** Lets `work` ask. Rejects with `Failure` only. */
  async function asked<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    try {
      const result = await turn(async () => work(await known()));
      complained = false;
      return result;
    } catch (error) {
      if (error instanceof Failure) throw error;
      if (!complained) log.error({ reason: String(error) }, 'the archive of the XMPP server cannot be read');
      complained = true;
      return fail('not-available', 'The archive cannot be searched at the moment: try again later.');
    }
  }

  return {
    bounds: [bound],
    search: (wanted: ArchiveQuery, found: (message: ArchivedMessage) => boolean) =>
      asked(async ({ database, schema }) => {
        const fits = holder(wanted.text);
        const end = monotonic() + 2 * limits.queryMs;
        for (let page = 0, offset = 0; offset < limits.candidates; page += 1) {
          const size = Math.min(pages[page] ?? laterPages, limits.candidates - offset);
          const left = Math.min(limits.queryMs, end - monotonic());
          if (left <= 0) return;
          const rows = await ask(database, schema.search(wanted, size, offset), left);
          for (const row of rows) {
            const message = schema.read(row);
            if (message !== undefined && fits(message.body) && !found(message)) return;
          }
          if (rows.length < size) return;
          offset += size;
        }
      }),
    times: (owner: BareJid, peer: BareJid, from: number, to: number) =>
      asked(async ({ database, schema }) => {
        const rows = await ask(database, schema.times(owner, peer, from, to, limits.times), limits.queryMs);
        return rows.map(schema.readTime).reverse();
      }),
    async stop() {
      // One that is being opened still, or never was, has nothing to close.
      await (await opened?.catch(() => undefined))?.database.stop();
    },
  };
}
