/**
 * Who wants an event. The cost of asking grows with how many want it, not with how many are there: subscriptions of scope
 * `user` are found through the users the event concerns, those of scope `supervisor` through module, type and filter value.
 */

import type { BareJid, FullJid } from '../protocol/jid.ts';
import { ANY, keyOf, type Subscription, union } from './subscription.ts';

/** An event as the index sees it. */
export interface Matchable {
  readonly module: string;
  readonly type: string;
  /** The users it concerns: whom scope `user` lets see it. */
  readonly concerns: readonly { readonly jid: BareJid }[];
  /** The values that a filter of that name is compared with; asked only where somebody filters. */
  values(filter: string): readonly string[];
}

/** Index over the subscriptions of all sessions. */
export interface SubscriptionIndex {
  /** Sets the subscriptions of a session, replacing what it had. */
  set(session: FullJid, user: BareJid, subscriptions: readonly Subscription[]): void;
  /** Forgets a session; unknown ones are ignored. */
  delete(session: FullJid): void;
  /**
   * Visits each session that wants the event, once: first those whom it concerns, then those who hear of everybody. `supervises` is asked anew for every event, so that a role
   * or a group taken away stops the flow at once.
   */
  forEach(
    event: Matchable,
    supervises: (user: BareJid) => boolean,
    visit: (session: FullJid, scope: Subscription['scope']) => void,
  ): void;
  /** How many subscriptions there are, all sessions together. */
  readonly size: number;
}

/** A distinct subscription; sessions that want the same share one. */
interface Wanted extends Subscription {
  readonly key: string;
  holders: number;
}

/** The subscriptions of a session; most sessions have the same ones, and share the list. */
interface Wishes {
  readonly key: string;
  readonly wants: readonly Wanted[];
  holders: number;
}

interface Member {
  readonly session: FullJid;
  readonly user: BareJid;
  readonly wishes: Wishes;
  /** Number of the last event this session was visited for. */
  visited: number;
  /** The user's next session: with a million of them, each step between objects is a miss of the processor's caches. */
  next: Member | undefined;
}

type Members = Set<Member>;

/** Supervisor subscriptions of one module and type. */
interface Bucket {
  readonly unfiltered: Members;
  /** By the first filter's name, then value; the other filters are compared one by one. */
  readonly filtered: Map<string, Map<string, Map<Wanted, Members>>>;
}

/** Makes an empty index. */
export function createSubscriptionIndex(): SubscriptionIndex {
  const members = new Map<FullJid, Member>();
  /** Each user's first session. */
  const byUser = new Map<BareJid, Member>();
  const wanted = new Map<string, Wanted>();
  const lists = new Map<string, Wishes>();
  const buckets = new Map<string, Map<string, Bucket>>();
  let size = 0;
  let events = 0;

  function share(subscriptions: readonly Subscription[]): Wishes {
    const all = union([], subscriptions);
    const keys = all.map(keyOf);
    const key = JSON.stringify(keys);
    let wishes = lists.get(key);
    if (wishes === undefined) {
      const wants = all.map((each, n) => {
        const want = entry(wanted, keys[n] ?? '', () => ({ ...each, key: keys[n] ?? '', holders: 0 }));
        want.holders += 1;
        return want;
      });
      wishes = { key, wants, holders: 0 };
      lists.set(key, wishes);
    }
    wishes.holders += 1;
    return wishes;
  }

  function unshare(wishes: Wishes): void {
    wishes.holders -= 1;
    if (wishes.holders > 0) return;
    lists.delete(wishes.key);
    for (const want of wishes.wants) {
      want.holders -= 1;
      if (want.holders === 0) wanted.delete(want.key);
    }
  }

  function join(member: Member): void {
    let last = byUser.get(member.user);
    if (last === undefined) {
      byUser.set(member.user, member);
      return;
    }
    while (last.next !== undefined) last = last.next;
    last.next = member;
  }

  function part(member: Member): void {
    const first = byUser.get(member.user);
    if (first !== member) {
      for (let each = first; each !== undefined; each = each.next)
        if (each.next === member) each.next = member.next;
    } else if (member.next === undefined) byUser.delete(member.user);
    else byUser.set(member.user, member.next);
  }

  function place(member: Member, want: Wanted): void {
    const types = entry(buckets, want.module, () => new Map<string, Bucket>());
    const bucket = entry(types, want.type, () => ({ unfiltered: new Set<Member>(), filtered: new Map() }));
    const [first] = want.filters;
    if (first === undefined) {
      bucket.unfiltered.add(member);
      return;
    }
    const values = entry(bucket.filtered, first.name, () => new Map<string, Map<Wanted, Members>>());
    const wants = entry(values, first.equals, () => new Map<Wanted, Members>());
    entry(wants, want, () => new Set<Member>()).add(member);
  }

  function displace(member: Member, want: Wanted): void {
    const types = buckets.get(want.module);
    const bucket = types?.get(want.type);
    if (types === undefined || bucket === undefined) return;
    const [first] = want.filters;
    if (first === undefined) bucket.unfiltered.delete(member);
    else {
      const values = bucket.filtered.get(first.name);
      const wants = values?.get(first.equals);
      const holders = wants?.get(want);
      holders?.delete(member);
      if (holders?.size === 0) wants?.delete(want);
      if (wants?.size === 0) values?.delete(first.equals);
      if (values?.size === 0) bucket.filtered.delete(first.name);
    }
    if (bucket.unfiltered.size === 0 && bucket.filtered.size === 0) types.delete(want.type);
    if (types.size === 0) buckets.delete(want.module);
  }

  function remove(session: FullJid): void {
    const member = members.get(session);
    if (member === undefined) return;
    members.delete(session);
    part(member);
    const { wants } = member.wishes;
    for (const want of wants) if (want.scope === 'supervisor') displace(member, want);
    unshare(member.wishes);
    size -= wants.length;
  }

  function visitBucket(bucket: Bucket, event: Matchable, visit: (member: Member) => void): void {
    for (const member of bucket.unfiltered) visit(member);
    for (const [name, values] of bucket.filtered) {
      for (const value of event.values(name)) {
        for (const [want, holders] of values.get(value) ?? nobody) {
          if (filtersMatch(want, event)) for (const member of holders) visit(member);
        }
      }
    }
  }

  return {
    set(session, user, subscriptions) {
      remove(session);
      const wishes = share(subscriptions);
      const member: Member = { session, user, wishes, visited: 0, next: undefined };
      members.set(session, member);
      join(member);
      for (const want of wishes.wants) if (want.scope === 'supervisor') place(member, want);
      size += wishes.wants.length;
    },
    delete: remove,
    forEach(event, supervises, visit) {
      events += 1;
      for (const { jid } of event.concerns) {
        for (let member = byUser.get(jid); member !== undefined; member = member.next) {
          if (member.visited === events || !wantsAsUser(member.wishes.wants, event)) continue;
          member.visited = events;
          visit(member.session, 'user');
        }
      }
      const asSupervisor = (member: Member) => {
        if (member.visited === events || !supervises(member.user)) return;
        member.visited = events;
        visit(member.session, 'supervisor');
      };
      for (const module of [event.module, ANY]) {
        const types = buckets.get(module);
        if (types === undefined) continue;
        for (const type of [event.type, ANY]) {
          const bucket = types.get(type);
          if (bucket !== undefined) visitBucket(bucket, event, asSupervisor);
        }
      }
    },
    get size() {
      return size;
    },
  };
}

const nobody: ReadonlyMap<Wanted, Members> = new Map();

function wantsAsUser(wants: readonly Wanted[], event: Matchable): boolean {
  for (const want of wants) {
    if (want.scope !== 'user') continue;
    if (want.module !== event.module && want.module !== ANY) continue;
    if (want.type !== event.type && want.type !== ANY) continue;
    if (filtersMatch(want, event)) return true;
  }
  return false;
}

function filtersMatch(want: Wanted, event: Matchable): boolean {
  return want.filters.every((filter) => event.values(filter.name).includes(filter.equals));
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
