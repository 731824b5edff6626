/** The store port: what must survive a restart of the bridge. Types and names only; `memory.ts` and `redis.ts` are the adapters. */

import type { Bounded } from '../bounds.ts';
import type { BareJid, FullJid } from '../protocol/jid.ts';

/** One subscription as stored; the canonical form of protocol section "Subscriptions". */
export interface StoredSubscription {
  readonly module: string;
  readonly type: string;
  readonly scope: 'user' | 'supervisor';
  /** Attribute filters in canonical (sorted) order. */
  readonly filters: readonly { readonly name: string; readonly equals: string }[];
}

/** One session: a full JID that said `ClientInfo`. */
export interface StoredSession {
  readonly jid: FullJid;
  /** When the session opened, epoch milliseconds. */
  readonly since: number;
  readonly client: Readonly<Record<string, string>>;
  readonly subscriptions: readonly StoredSubscription[];
}

/** A granted presence subscription (RFC 6121 §3): the watcher sees the telephone of this hosted contact. */
export interface StoredWatch {
  readonly contact: BareJid;
  readonly watcher: BareJid;
}

/** The books that are kept: what each person has had, entry by entry. `offhook erase` empties all of them. */
export const books = ['journal', 'missed', 'records'] as const;
export type BookName = (typeof books)[number];

/** One entry of a book. A value. */
export interface LedgerEntry {
  /** Unique within the owner's book, and this program's own making: what is appended twice is there once. */
  readonly id: string;
  /** Epoch milliseconds; the order of the book. */
  readonly at: number;
  /** JSON, a few kilobytes at the most. */
  readonly text: string;
}

/** How much of a book is kept for each owner; the oldest entries go first. */
export interface Keep {
  readonly count: number;
  readonly ageMs: number;
}

/** Which part of a book is read. */
export interface Page {
  readonly limit: number;
  /** Only what is older than the entry of this id; nothing, where there is no such entry (any more). */
  readonly before?: string | undefined;
  /** Only what is newer than the entry of this id, beginning with the one next to it; from the oldest on, where there is none. */
  readonly after?: string | undefined;
}

/**
 * One book: entries by owner, in the order of their times. Writes are accepted at once and become durable soon, as all
 * others; reads know what is not durable yet. At the most so many entries wait while the backing server is away as
 * `docs/limits.md` says; then the oldest are given up.
 */
export interface Ledger {
  /** Adds an entry, unless there is one of this id: that one stays as it is. */
  append(owner: BareJid, entry: LedgerEntry): void;
  /** Gives the entry of this id another text; ignored where there is none. */
  replace(owner: BareJid, id: string, text: string): void;
  /** Newest first. Rejects while the backing server is away: a part of the truth would look like all of it. */
  read(owner: BareJid, page: Page): Promise<readonly LedgerEntry[]>;
  /** The entry of this id; undefined where there is none. Rejects while the backing server is away. */
  get(owner: BareJid, id: string): Promise<LedgerEntry | undefined>;
  /** Removes all that this owner has, written or not; resolves with how many entries that were. Rejects while the backing server is away. */
  erase(owner: BareJid): Promise<number>;
  /** Everybody who has entries, in no order. Rejects while the backing server is away. */
  owners(): Promise<readonly BareJid[]>;
}

/** How the store fares. */
export interface StoreState {
  readonly usable: boolean;
  /** Writes accepted but not yet durable. */
  readonly pending: number;
  /** Human-readable, without secrets; empty while usable. */
  readonly reason: string;
}

/**
 * Sessions with their subscriptions, who watches whose telephone, what was told of calls, a few facts, and books of what was. Writes are accepted at once and become
 * durable soon: the adapter keeps the latest state per entry, retries for ever while the backing server is away, and
 * holds at most one write an entry.
 */
export interface Store extends Partial<Bounded> {
  /** How often the backing server was reached; left out where there is none. */
  readonly connects?: number;
  readonly state: StoreState;
  /** Connects; resolves when usable, or after `timeoutMs` with `state.usable === false` (and goes on trying). Never rejects. */
  start(timeoutMs: number): Promise<void>;
  /** Writes what is pending (bounded by `graceMs`) and disconnects. */
  stop(graceMs: number): Promise<void>;
  onState(listener: (state: StoreState) => void): () => void;
  /** All sessions, in no order. Rejects while the backing server is away. */
  loadSessions(): Promise<StoredSession[]>;
  /** Keeps this session, replacing what was stored for its JID. */
  saveSession(session: StoredSession): void;
  /** Forgets this session; unknown ones are ignored. */
  deleteSession(jid: FullJid): void;
  /** All granted subscriptions, in no order. Rejects while the backing server is away. */
  loadWatches(): Promise<StoredWatch[]>;
  /** Keeps a granted subscription; again is as good as once. */
  saveWatch(watch: StoredWatch): void;
  /** Forgets a granted subscription; unknown ones are ignored. */
  deleteWatch(watch: StoredWatch): void;
  /** What was told of calls, by channel, in this program's own words. Rejects while the backing server is away. */
  loadCalls(): Promise<Map<string, string>>;
  /**
   * Keeps what was told of a channel. `isNew`: the store has nothing under that name, so that one which is gone before it was
   * written need not be forgotten there.
   */
  saveCall(channel: string, text: string, isNew: boolean): void;
  /** Forgets a channel; unknown ones are ignored. */
  deleteCall(channel: string): void;
  /** What a bridge left for the one after it, by name. Rejects while the backing server is away. */
  loadFacts(): Promise<Map<string, string>>;
  /** Keeps a fact, replacing what was known under its name. Names are this program's own. `isNew` as for {@link saveCall}. */
  saveFact(name: string, text: string, isNew?: boolean): void;
  /** Forgets a fact; unknown ones are ignored. */
  deleteFact(name: string): void;
  /**
   * Opens a book. `keep` bounds what each owner has there, from each write on, and regularly where there are none; without it (whoever
   * only reads or erases) nothing goes by itself.
   */
  ledger(book: BookName, keep?: Keep): Ledger;
  /**
   * Keeps an audit entry where the store was told to keep any; the oldest go first. Entries that come while the backing server
   * is away are lost there: the log has them.
   */
  audit(entry: Readonly<Record<string, unknown>>): void;
  /** Resolves when everything accepted before the call is durable; rejects after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
}
