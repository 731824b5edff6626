/** Sessions: the full JIDs that are here and want to be told. Memory is the truth while running, the store what survives. */

import { isDeepStrictEqual } from 'node:util';
import { fail } from './errors.ts';
import { type BareJid, bareOf, type FullJid } from './protocol/jid.ts';
import type { Store, StoredSession } from './store/store.ts';
import type { SubscriptionIndex } from './subscriptions/index.ts';
import { type Subscription, union, without } from './subscriptions/subscription.ts';

/** One session; a value, replaced as a whole when it changes. */
export type Session = StoredSession;

/** Bounds of what clients can make us keep. */
export interface SessionLimits {
  /** Sessions in total. */
  readonly sessions: number;
  /** Sessions of one user. */
  readonly perUser: number;
  /** Subscriptions of one session. */
  readonly subscriptions: number;
}

/** The sessions that are open. */
export interface Sessions {
  readonly size: number;
  get(jid: FullJid): Session | undefined;
  /** The user's sessions, oldest first. */
  of(user: BareJid): readonly Session[];
  /** Every session, in the order of opening. */
  all(): IterableIterator<Session>;
  /**
   * Opens a session, or replaces the one of that JID, its subscriptions included. Throws `Failure` `rejected` at a limit.
   */
  open(
    jid: FullJid,
    client: Readonly<Record<string, string>>,
    subscriptions: readonly Subscription[],
  ): Session;
  /** Adds subscriptions; opens the session where there is none. Throws `Failure` `rejected` at a limit, adding nothing. */
  subscribe(jid: FullJid, subscriptions: readonly Subscription[]): Session;
  /** Removes subscriptions; what is not there is ignored. Undefined where there is no such session. */
  unsubscribe(jid: FullJid, subscriptions: readonly Subscription[]): Session | undefined;
  /** Ends a session; unknown ones are ignored. True where there was one. */
  close(jid: FullJid): boolean;
  /** Calls back with each session that a client opens, one that replaces another included; not with restored ones. */
  onOpen(listener: (session: Session) => void): void;
  /** Takes over what the store held; sessions that were opened meanwhile are not overwritten. */
  restore(stored: readonly Session[]): void;
  /** Brings a store up to date that was away and may have come back with an older state, or with nothing. */
  reconcile(stored: readonly Session[]): void;
}

/** Makes the session table. `now` gives epoch milliseconds. */
export function createSessions(
  store: Store,
  index: SubscriptionIndex,
  limits: SessionLimits,
  now: () => number,
): Sessions {
  const sessions = new Map<FullJid, Session>();
  const byUser = new Map<BareJid, Set<FullJid>>();
  const openListeners: ((session: Session) => void)[] = [];

  function admit(jid: FullJid, subscriptions: readonly Subscription[]): void {
    if (subscriptions.length > limits.subscriptions) {
      fail(
        'rejected',
        `A session may hold ${limits.subscriptions} subscriptions at the most; remove some first.`,
      );
    }
    if (sessions.has(jid)) return;
    if ((byUser.get(bareOf(jid))?.size ?? 0) >= limits.perUser) {
      fail('rejected', `You have ${limits.perUser} sessions already; close one first.`);
    }
    if (sessions.size >= limits.sessions) {
      fail('rejected', 'The bridge serves as many sessions as it is configured for; try again later.');
    }
  }

  function keep(session: Session): Session {
    const { jid, subscriptions } = session;
    const user = bareOf(jid);
    sessions.set(jid, session);
    const siblings = byUser.get(user) ?? new Set();
    byUser.set(user, siblings.add(jid));
    index.set(jid, user, subscriptions);
    return session;
  }

  function put(session: Session): Session {
    store.saveSession(session);
    return keep(session);
  }

  return {
    get size() {
      return sessions.size;
    },
    get: (jid) => sessions.get(jid),
    of: (user) => [...(byUser.get(user) ?? [])].flatMap((jid) => sessions.get(jid) ?? []),
    all: () => sessions.values(),
    open(jid, client, wanted) {
      const subscriptions = union([], wanted);
      admit(jid, subscriptions);
      const session = put({ jid, since: now(), client, subscriptions });
      for (const listener of openListeners) listener(session);
      return session;
    },
    subscribe(jid, added) {
      const present = sessions.get(jid);
      const subscriptions = union(present?.subscriptions ?? [], added);
      admit(jid, subscriptions);
      return put({ ...(present ?? { jid, since: now(), client: {} }), subscriptions });
    },
    unsubscribe(jid, removed) {
      const present = sessions.get(jid);
      return present && put({ ...present, subscriptions: without(present.subscriptions, removed) });
    },
    close(jid) {
      if (!sessions.delete(jid)) return false;
      const siblings = byUser.get(bareOf(jid));
      siblings?.delete(jid);
      if (siblings?.size === 0) byUser.delete(bareOf(jid));
      index.delete(jid);
      store.deleteSession(jid);
      return true;
    },
    onOpen: (listener) => void openListeners.push(listener),
    restore(stored) {
      for (const session of stored) {
        if (sessions.size >= limits.sessions) return;
        if (!sessions.has(session.jid)) keep(session);
      }
    },
    reconcile(stored) {
      const known = new Map(stored.map((session) => [session.jid, session]));
      for (const [jid, session] of sessions) {
        if (!isDeepStrictEqual(known.get(jid), session)) store.saveSession(session);
      }
      for (const jid of known.keys()) if (!sessions.has(jid)) store.deleteSession(jid);
    },
  };
}
