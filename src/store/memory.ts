/** The store in this process's memory: for one bridge whose users may log in again after it was restarted. */

import type { FullJid } from '../protocol/jid.ts';
import { createMemoryLedger, type Shelf } from './memory-ledger.ts';
import type { BookName, Store, StoredSession, StoredWatch, StoreState } from './store.ts';
import { watchField } from './value.ts';

const state: StoreState = { usable: true, pending: 0, reason: '' };

/** Every write is durable, as far as memory goes, the moment it is accepted. */
export function createMemoryStore(now: () => number = Date.now): Store {
  const shelves = new Map<BookName, Shelf>();
  const sessions = new Map<FullJid, StoredSession>();
  const watches = new Map<string, StoredWatch>();
  const calls = new Map<string, string>();
  const facts = new Map<string, string>();
  return {
    state,
    start: async () => {},
    stop: async () => {},
    // Its state never changes.
    onState: () => () => {},
    loadSessions: async () => [...sessions.values()],
    saveSession: (session) => void sessions.set(session.jid, session),
    // A trail that ends with the process is none: the log has it.
    audit() {},
    deleteSession: (jid) => void sessions.delete(jid),
    loadWatches: async () => [...watches.values()],
    saveWatch: (watch) => void watches.set(watchField(watch), watch),
    deleteWatch: (watch) => void watches.delete(watchField(watch)),
    loadCalls: async () => new Map(calls),
    saveCall: (channel, text) => void calls.set(channel, text),
    deleteCall: (channel) => void calls.delete(channel),
    loadFacts: async () => new Map(facts),
    saveFact: (name, text) => void facts.set(name, text),
    deleteFact: (name) => void facts.delete(name),
    ledger(book, keep) {
      const shelf: Shelf = shelves.get(book) ?? new Map();
      shelves.set(book, shelf);
      return createMemoryLedger(shelf, keep, now);
    },
    flush: async () => {},
  };
}
