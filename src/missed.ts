/**
 * Calls that waited in a queue and that nobody took: kept in the store by queue, with what became of them since. Somebody of the queue who
 * reaches the caller's number settles them, and so does a later call of the same number that a member takes.
 */

import { type Bounded, createBound } from './bounds.ts';
import type { CallChange } from './calls/changes.ts';
import type { Directory, User } from './directory.ts';
import type { Log } from './log.ts';
import type { Numbers } from './phonebook/numbers.ts';
import { type BareJid, parseJid } from './protocol/jid.ts';
import { agentOf } from './queue-people.ts';
import type { QueueLeaveChange } from './queues/changes.ts';
import type { Keep, Ledger, Store } from './store/store.ts';

/** One call that nobody took. A value; what is stored is this as JSON. */
export interface MissedCall {
  readonly id: string;
  readonly queue: string;
  readonly channel: string;
  /** The user who called; empty where it was somebody else. */
  readonly caller: BareJid | '';
  /** As signaled; empty where unknown. */
  readonly number: string;
  readonly name: string;
  /** How long it waited, whole seconds. */
  readonly waited: number;
  /** When it left, epoch milliseconds. */
  readonly at: number;
  readonly reason: 'abandoned' | 'timeout';
  /** When somebody of the queue reached the number, or the caller a member, epoch milliseconds; 0: not yet. */
  readonly settledAt: number;
  /** User name, or interface of a member that is no user. */
  readonly settledBy: string;
  /** The JID of that user. */
  readonly settler: BareJid | '';
  /** `callback`: by a call to the number; `called-again`: the caller tried again. */
  readonly settledHow: '' | 'callback' | 'called-again';
}

/** The missed calls of all queues. */
export interface MissedCalls extends Bounded {
  /** A call left a queue. */
  left(change: QueueLeaveChange): void;
  /** Calls of users changed: one of them may be a call back. */
  heard(changes: readonly CallChange[]): void;
  /** Newest first, of those that are kept. `open`: only those that nobody has settled. Rejects while the store is away. */
  find(queue: string, limit: number, open: boolean): Promise<readonly MissedCall[]>;
  /** Learns again what is not settled. Never rejects. */
  start(): Promise<void>;
  /** Calls that a call back would settle. */
  readonly open: number;
}

/** What {@link createMissedCalls} needs. */
export interface MissedOptions {
  readonly store: Pick<Store, 'ledger' | 'onState'>;
  readonly keep: Keep;
  readonly directory: () => Directory;
  /** Whether somebody is in a queue. */
  readonly isIn: (queue: string, user: User) => boolean;
  /** Compares numbers however they are written. */
  readonly numbers: Pick<Numbers, 'keys'>;
  readonly log: Log;
}

/** Calls that a call back would settle; of more, the oldest stay open. */
const maxOpen = 10_000;
/** Read of each queue at a start. */
const readBack = 200;

/** Makes it. */
export function createMissedCalls(options: MissedOptions): MissedCalls {
  const { store, keep, directory, isIn, numbers, log } = options;
  const book: Ledger = store.ledger('missed', keep);
  /** By the owner and id, oldest first. */
  const open = new Map<string, MissedCall>();
  /** The names of the same by the keys of the number that called. */
  const byNumber = new Map<string, Set<string>>();
  const bound = createBound('missed_calls', maxOpen, () => open.size);
  let learned = false;

  const nameOf = (call: MissedCall) => `${ownerOf(call.queue)} ${call.id}`;

  function note(call: MissedCall): void {
    if (call.number === '' || call.settledAt > 0) return;
    const name = nameOf(call);
    for (const key of numbers.keys(call.number))
      byNumber.set(key, (byNumber.get(key) ?? new Set()).add(name));
    open.set(name, call);
    const [oldest] = open.values();
    if (open.size <= maxOpen || oldest === undefined) return;
    bound.exceed();
    drop(oldest);
  }

  function drop(call: MissedCall): void {
    const name = nameOf(call);
    open.delete(name);
    for (const key of numbers.keys(call.number)) {
      const same = byNumber.get(key);
      same?.delete(name);
      if (same?.size === 0) byNumber.delete(key);
    }
  }

  function settle(
    number: string,
    concerns: (call: MissedCall) => boolean,
    how: Pick<MissedCall, 'settledAt' | 'settledBy' | 'settler' | 'settledHow'>,
  ): void {
    // With and without the prefix of outside lines: the same digits may be both.
    const names = new Set(numbers.keys(number).flatMap((key) => [...(byNumber.get(key) ?? [])]));
    for (const name of names) {
      const call = open.get(name);
      if (call === undefined || !concerns(call)) continue;
      drop(call);
      book.replace(ownerOf(call.queue), call.id, JSON.stringify({ ...call, ...how }));
    }
  }

  function tookCall({ queue, call, member, at }: QueueLeaveChange): void {
    if (call.number === '') return;
    const agent = member && agentOf(member, directory());
    const isOfQueue = (each: MissedCall) => each.queue === queue;
    settle(call.number, isOfQueue, {
      settledAt: Math.round(at),
      settledBy: agent?.name ?? member?.interface ?? '',
      settler: agent?.jid ?? '',
      settledHow: 'called-again',
    });
  }

  function callerOf(channel: string): BareJid | '' {
    const device = directory().deviceOfChannel(channel);
    return (device && directory().byDevice(device)?.user.jid) ?? '';
  }

  async function learn(): Promise<void> {
    if (learned) return;
    try {
      const found: MissedCall[] = [];
      for (const owner of await book.owners()) {
        const entries = await book.read(owner, { limit: readBack });
        found.push(...entries.map(({ text }) => read(text)).filter((call) => call !== undefined));
      }
      if (learned) return;
      learned = true;
      for (const call of found.sort((a, b) => a.at - b.at)) if (!open.has(nameOf(call))) note(call);
    } catch (error) {
      log.info({ reason: String(error) }, 'missed calls of queues cannot be read yet');
    }
  }

  store.onState(({ usable }) => {
    if (usable) void learn();
  });

  return {
    bounds: [bound],
    left(change) {
      const { queue, call, reason, at } = change;
      if (reason === 'connected') tookCall(change);
      if (reason !== 'abandoned' && reason !== 'timeout') return;
      const missed: MissedCall = {
        id: `${call.uniqueId}-${Math.round(call.since)}`,
        queue,
        channel: call.channel,
        caller: callerOf(call.channel),
        number: call.number,
        name: call.name,
        waited: Math.max(0, Math.round((at - call.since) / 1000)),
        at: Math.round(at),
        reason,
        settledAt: 0,
        settledBy: '',
        settler: '',
        settledHow: '',
      };
      book.append(ownerOf(queue), { id: missed.id, at: missed.at, text: JSON.stringify(missed) });
      note(missed);
    },
    heard(changes) {
      if (open.size === 0) return;
      for (const change of changes) {
        if (change.kind !== 'channel' || change.type !== 'busy') continue;
        const { view } = change;
        if (!view.outbound || view.service !== '' || view.other.number === '') continue;
        const user = directory().byDevice(view.device)?.user;
        if (user === undefined) continue;
        settle(view.other.number, (call) => isIn(call.queue, user), {
          settledAt: Math.round(change.at),
          settledBy: user.name,
          settler: user.jid,
          settledHow: 'callback',
        });
      }
    },
    async find(queue, limit, onlyOpen) {
      const entries = await book.read(ownerOf(queue), { limit: onlyOpen ? keep.count : limit });
      const calls = entries.map(({ text }) => read(text)).filter((call) => call !== undefined);
      return onlyOpen ? calls.filter((call) => call.settledAt === 0).slice(0, limit) : calls;
    },
    start: learn,
    get open() {
      return open.size;
    },
  };
}

/** Entries that are read at a time. */
const pageSize = 500;

/**
 * Takes somebody out of the missed calls of every queue, as who called and as who called back; the calls stay. Resolves with how many
 * calls that were. Rejects while the store is away.
 */
export async function forgetInMissed(book: Ledger, who: BareJid): Promise<number> {
  let forgotten = 0;
  for (const owner of await book.owners()) {
    let before: string | undefined;
    for (;;) {
      const entries = await book.read(owner, { limit: pageSize, before });
      for (const { id, text } of entries) {
        const call = read(text);
        if (call === undefined || (call.caller !== who && call.settler !== who)) continue;
        const forgot = {
          ...call,
          ...(call.caller === who && { channel: '', caller: '', number: '', name: '' }),
          ...(call.settler === who && { settledBy: '', settler: '' }),
        };
        book.replace(owner, id, JSON.stringify(forgot));
        forgotten += 1;
      }
      before = entries.at(-1)?.id;
      if (entries.length < pageSize) break;
    }
  }
  return forgotten;
}

/** Books have JIDs for owners: a queue has one that nobody can have. */
function ownerOf(queue: string): BareJid {
  const local = encodeURIComponent(queue.toLowerCase()).replaceAll("'", '%27');
  return parseJid(`${local}@queue.invalid`)?.bare ?? ('queue.invalid' as BareJid);
}

function read(text: string): MissedCall | undefined {
  try {
    const call: MissedCall = JSON.parse(text);
    return call;
  } catch {
    // Of a version that wrote something else.
    return undefined;
  }
}
