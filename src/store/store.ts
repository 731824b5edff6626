/** The store port: what must survive a restart of the bridge. Types only; `memory.ts` and `redis.ts` are the adapters. */

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

/** How the store fares. */
export interface StoreState {
  readonly usable: boolean;
  /** Writes accepted but not yet durable. */
  readonly pending: number;
  /** Human-readable, without secrets; empty while usable. */
  readonly reason: string;
}

/**
 * Sessions with their subscriptions, who watches whose telephone, what was told of calls, and a few facts. Writes are accepted at once and become
 * durable soon: the adapter keeps the latest state per entry, retries for ever while the backing server is away, and
 * holds at most one write an entry.
 */
export interface Store {
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
  /** Keeps a fact, replacing what was known under its name. Names are this program's own. */
  saveFact(name: string, text: string): void;
  /** Forgets a fact; unknown ones are ignored. */
  deleteFact(name: string): void;
  /**
   * Keeps an audit entry where the store was told to keep any; the oldest go first. Entries that come while the backing server
   * is away are lost there: the log has them.
   */
  audit(entry: Readonly<Record<string, unknown>>): void;
  /** Resolves when everything accepted before the call is durable; rejects after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
}
