/**
 * Who sits where. A directory over another one: the devices of the place where somebody sits are that person's, for everything
 * that asks whose a device is. The store keeps the seats over restarts, the AstDB tells the dialplan.
 */

import {
  type Directory,
  type DirectorySource,
  emptyDirectory,
  type Place,
  seatUsers,
  type User,
} from '../directory.ts';
import { fail } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Model } from '../models.ts';
import type { Pbx } from '../pbx/pbx.ts';
import type { BareJid } from '../protocol/jid.ts';
import { parseJid } from '../protocol/jid.ts';
import type { Store } from '../store/store.ts';
import { createBoard } from './board.ts';
import { type Entries, entriesOf } from './ring.ts';

/** Somebody sat down at a place, or got up. */
export interface SeatChange {
  readonly kind: 'seat';
  readonly type: 'login' | 'logout';
  readonly user: BareJid;
  /** How long devices ring that have no time of their own, seconds. */
  readonly ringSeconds: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The places, and who sits there. */
export interface Places extends Model {
  /** The directory with everybody where they sit. */
  readonly directory: DirectorySource;
  /** The directory whoever sits where: changes only when people do. */
  readonly people: Pick<DirectorySource, 'current' | 'onChange'>;
  /**
   * Lets a user sit down at a place, in the stead of whoever sits there. Resolves when the dialplan knows. Throws `Failure`
   * `no-such-place`, `not-permitted`, `rejected` where somebody is just sitting down there, and what the telephone system throws.
   */
  relocate(user: User, place: string): Promise<void>;
  /** Lets a user get up; nothing happens where the user sits nowhere. Throws as {@link relocate} does. */
  logout(user: User): Promise<void>;
}

/** What {@link createPlaces} needs. */
export interface PlacesOptions {
  readonly source: DirectorySource;
  readonly store: Pick<Store, 'loadFacts' | 'saveFact' | 'deleteFact' | 'onState'>;
  readonly pbx: Pick<Pbx, 'dbFamily' | 'dbGet' | 'dbPut' | 'dbDel' | 'onState' | 'state'>;
  /** How long devices ring that have no time of their own, seconds. */
  readonly ringSeconds: number;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Whether a user may sit down at a place. */
export function maySit(user: User, { open }: Place): boolean {
  if (open === undefined) return true;
  return open.users.has(user.name.toLowerCase()) || [...user.groups].some((group) => open.groups.has(group));
}

/** Seats are facts of the store: `seat <place>` → JID. */
const FACT = 'seat ';

/** Makes it, with everybody at their own places until the store was read. */
export function createPlaces(options: PlacesOptions): Places {
  const { source, store, pbx, ringSeconds, log, now } = options;
  const listeners = new Set<(directory: Directory, previous: Directory) => void>();
  /** Place names by JID. */
  let seats = new Map<BareJid, string>();
  let current = source.current;
  let restored = false;
  /** Who moved before the store was read: what it says of them is older. */
  const moved = new Set<string>();
  /** Places that somebody is just sitting down at, and people who are changing places. */
  const claimed = new Map<string, User>();
  const moving = new Set<BareJid>();
  let tell: (changes: readonly SeatChange[]) => void = () => {};
  const board = createBoard({ pbx, log });

  const resolved = (of: ReadonlyMap<BareJid, string>, base: Directory) =>
    seatUsers(
      base,
      new Map(
        [...of].flatMap(([jid, name]) => {
          const place = base.place(name);
          return place === undefined ? [] : [[jid, place] as const];
        }),
      ),
    );
  /** Whose devices do not all fit into the AstDB, and how many do: said once. */
  const cut = new Map<BareJid, number>();
  function wanted(directory: Directory): Entries {
    const now = new Map<BareJid, number>();
    const entries = entriesOf(directory, ringSeconds, ({ jid }, rings) =>
      now.set(jid, Math.min(rings, now.get(jid) ?? rings)),
    );
    for (const [user, rings] of now) {
      if (cut.get(user) === rings) continue;
      const devices = directory.byJid(user)?.devices.length;
      log.warn(
        { user, devices, rings },
        'places: more devices than the dialplan can be told of: the last ones do not ring',
      );
    }
    cut.clear();
    for (const [user, rings] of now) cut.set(user, rings);
    return entries;
  }
  /** Without places and times nobody has to be asked or told anything. */
  const matters = () => wanted(current).size > 0 || current.places.length > 0 || board.isUsed;

  function show(base: Directory): void {
    const previous = current;
    current = resolved(seats, base);
    if (current.version === previous.version) return;
    for (const listener of listeners) listener(current, previous);
  }

  /** Takes over who sits where from now on, and says so. */
  function commit(next: Map<BareJid, string>, base: Directory): void {
    const before = seats;
    seats = next;
    for (const [jid, name] of before) {
      if (next.get(jid) !== name && !inverse(next).has(name)) store.deleteFact(FACT + name);
    }
    for (const [jid, name] of next) if (before.get(jid) !== name) store.saveFact(FACT + name, jid);
    show(base);
    const change = { kind: 'seat', ringSeconds, at: now() } as const;
    const changes: SeatChange[] = [];
    for (const jid of before.keys())
      if (!next.has(jid)) changes.push({ ...change, type: 'logout', user: jid });
    for (const [jid, name] of next)
      if (before.get(jid) !== name) changes.push({ ...change, type: 'login', user: jid });
    if (changes.length > 0) tell(changes);
  }

  /** Those who may sit where they do. */
  function valid(base: Directory): Map<BareJid, string> {
    return new Map(
      [...seats].filter(([jid, name]) => {
        const [user, place] = [base.byJid(jid), base.place(name)];
        return user !== undefined && place !== undefined && maySit(user, place);
      }),
    );
  }

  /** Brings the dialplan up to date, where it can be. Never rejects. */
  async function publish(): Promise<void> {
    if (!restored || !pbx.state.control || !matters()) return;
    const keys = {
      extensions: current.users.map(({ extension }) => extension),
      endpoints: current.places.flatMap(({ devices }) =>
        devices.map(({ device }) => device.slice(device.indexOf('/') + 1)),
      ),
    };
    await board.renew(() => wanted(current), keys);
  }

  async function change(
    user: User,
    alter: (next: Map<BareJid, string>, base: Directory) => void,
  ): Promise<void> {
    if (moving.has(user.jid)) fail('rejected', 'You are changing places already: wait a moment.');
    moving.add(user.jid);
    moved.add(user.jid);
    try {
      await board.write(() => {
        const base = source.current;
        const next = new Map(valid(base));
        alter(next, base);
        return {
          entries: wanted(resolved(next, base)),
          done() {
            commit(next, source.current);
            if (base === source.current) return;
            // People or places have changed meanwhile.
            review(source.current);
            void publish();
          },
        };
      });
    } finally {
      moving.delete(user.jid);
    }
  }

  async function restore(): Promise<void> {
    if (restored) return;
    try {
      const facts = await store.loadFacts();
      restored = true;
      const next = new Map(seats);
      const taken = inverse(next);
      for (const [fact, text] of facts) {
        if (!fact.startsWith(FACT)) continue;
        const [name, jid] = [fact.slice(FACT.length), parseJid(text)?.bare];
        if (jid !== undefined && !moved.has(jid) && !next.has(jid) && !taken.has(name)) next.set(jid, name);
        else if (!taken.has(name)) store.deleteFact(fact);
      }
      moved.clear();
      seats = next;
      show(source.current);
      review(source.current);
    } catch (error) {
      log.warn({ reason: String(error) }, 'who sits where cannot be read yet');
    }
    await publish();
  }

  /** After people or places have changed: who has lost the seat gets up. */
  function review(base: Directory): void {
    // Users that are not discovered yet have not left.
    const next = base === emptyDirectory ? seats : valid(base);
    if (next.size < seats.size) commit(next, base);
    else show(base);
  }

  source.onChange((base) => {
    review(base);
    void publish();
  });
  pbx.onState(({ control, feed }) => {
    if (control && feed) void publish();
  });
  store.onState(({ usable }) => {
    if (usable) void restore();
  });

  return {
    bounds: board.bounds,
    people: source,
    directory: {
      get current() {
        return current;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async start() {
        await source.start();
        show(source.current);
      },
      async stop() {
        await source.stop();
        listeners.clear();
      },
    },
    async relocate(user, name) {
      const place = current.place(name) ?? fail('no-such-place', `There is no place '${name.slice(0, 60)}'.`);
      if (!maySit(user, place)) fail('not-permitted', `You may not sit down at ${name}.`);
      const other = claimed.get(name);
      if (other !== undefined && other.jid !== user.jid) {
        fail('rejected', `${other.fullName} is just sitting down at ${name}.`);
      }
      claimed.set(name, user);
      try {
        await change(user, (next, base) => {
          if (base.place(name) === undefined)
            fail('no-such-place', `There is no place '${name.slice(0, 60)}' any more.`);
          for (const [jid, taken] of next) if (taken === name) next.delete(jid);
          next.set(user.jid, name);
        });
      } finally {
        claimed.delete(name);
      }
    },
    logout: (user) => change(user, (next) => void next.delete(user.jid)),
    onChange(listener) {
      tell = listener;
    },
    apply: () => [],
    start: restore,
  };
}

/** Who sits at each place. */
function inverse(seats: ReadonlyMap<BareJid, string>): Map<string, BareJid> {
  return new Map([...seats].map(([jid, name]) => [name, jid]));
}
