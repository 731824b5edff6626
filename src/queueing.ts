/** The queue model at work: what Asterisk changes in queues without an event is found by reading their state again, when something shows that it did. */

import type { Directory } from './directory.ts';
import type { Log } from './log.ts';
import { createMissedCalls, type MissedCalls } from './missed.ts';
import type { Model } from './models.ts';
import { keyOfCall } from './modules/queue-event.ts';
import type { Pbx, QueueCounters } from './pbx/pbx.ts';
import type { Numbers } from './phonebook/numbers.ts';
import { isIn } from './queue-people.ts';
import { createQueueTold } from './queue-told.ts';
import { createQueues } from './queues/model.ts';
import type { Queues } from './queues/queues.ts';
import type { Keep, Store } from './store/store.ts';

/** All queues, as handlers see them. */
export interface Queueing extends Model, Pick<Queues, 'queue' | 'queues'> {
  /**
   * Reads the state of the queues again unless that was done within the last second; resolves when it is known. For whoever wants to see
   * a waiting list with the priorities as they are now. Never rejects: while nothing can be read, what is known has to do.
   */
  look(): Promise<void>;
  /** Counters of a queue, and since when they count, epoch milliseconds, where that is known. Rejects as `Pbx.queueCounters` does. */
  counters(
    queue: string,
  ): Promise<{ readonly counters: QueueCounters; readonly since: number | undefined } | undefined>;
  /** Unique ids of the calls that wait in a queue in their order, as all that was to be told until now has it. `queue` as in changes. */
  standing(queue: string): readonly string[];
  /** The place of a call among these, from 1; 0 where it is not there. */
  standsAt(queue: string, uniqueId: string): number;
  /** The place, from 1, of a call in the waiting list as clients have it by what was told; 0 where they have not. */
  shownAt(queue: string, uniqueId: string): number;
  /** Calls that nobody took. */
  readonly missed: Pick<MissedCalls, 'find' | 'open'>;
}

/** The counters of a queue as they were last seen. */
interface Counted {
  readonly completed: number;
  readonly abandoned: number;
  /** When they were seen to have been reset. */
  readonly since: number;
}

/** At the most once in this time, however much there is to doubt; less often where reading showed nothing new. */
const everyMs = 1000;
const seldomMs = 60_000;

/** Makes it. */
export function createQueueing(options: {
  readonly pbx: Pick<Pbx, 'tellQueues' | 'queueCounters' | 'reread'>;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly store: Pick<Store, 'ledger' | 'loadFacts' | 'saveFact' | 'deleteFact' | 'onState'>;
  readonly directory: () => Directory;
  readonly numbers: Pick<Numbers, 'keys'>;
  /** How much is kept of missed calls, by queue. */
  readonly keep: Keep;
}): Queueing {
  const { pbx, log, now, directory } = options;
  const model = createQueues();
  const told = createQueueTold(options.store);
  const missed = createMissedCalls({
    ...options,
    isIn(queue, user) {
      const view = model.queue(queue);
      return view !== undefined && isIn(view, user, directory());
    },
  });
  /** The queues were told of once. */
  let isKnown = false;
  let readAt = 0;
  /** How often in a row a reading showed nothing new: then something here does not fit for ever. */
  let futile = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  /** When Asterisk started, epoch milliseconds; 0 while unknown. All counters begin there. */
  let started = 0;
  const counted = new Map<string, Counted>();

  async function read(): Promise<void> {
    readAt = now();
    // The answer comes as an event, on the road of all events.
    await pbx.tellQueues().catch((error: unknown) => {
      log.debug(
        { reason: String(error) },
        'the queues cannot be read now; they are when the telephone system is back',
      );
    });
  }

  /** Soon, but for all doubts of this second together. */
  function readSoon(): void {
    if (timer !== undefined || stopped) return;
    const pause = Math.min(everyMs * 2 ** futile, seldomMs);
    const wait = Math.min(Math.max(readAt + pause - now(), 0), pause);
    timer = setTimeout(() => {
      timer = undefined;
      void read();
    }, wait).unref();
  }

  return {
    bounds: [...model.bounds, ...missed.bounds, ...told.bounds],
    queue: model.queue,
    queues: model.queues,
    standing: told.standing,
    standsAt: told.standsAt,
    shownAt: told.shownAt,
    missed,
    start: missed.start,
    async restore() {
      await told.load();
      const remembered = told.remembered();
      const isNews = model.restore(remembered);
      // The state was read before anybody knew what to look for in it.
      if (isKnown && isNews) pbx.reread();
      return remembered.calls.map(({ queue, call }) => keyOfCall(queue, call.uniqueId));
    },
    apply(event, calls) {
      if (event.type === 'queues' && event.started !== undefined) {
        // The same start is computed a little differently each time.
        if (Math.abs(event.started - started) > everyMs) counted.clear();
        started = event.started;
      }
      const changes = model.apply(event);
      told.note(changes);
      isKnown ||= event.type === 'queues';
      if (event.type === 'queues') futile = changes.length === 0 ? futile + 1 : 0;
      if (model.takeDoubt()) readSoon();
      for (const change of changes) if (change.kind === 'queue-leave') missed.left(change);
      missed.heard(calls);
      return changes;
    },
    told(change, heard) {
      if (change.kind === 'queue-member' || change.kind === 'queue-join' || change.kind === 'queue-leave')
        told.told(change, heard);
    },
    ask: told.ask,
    async look() {
      const age = now() - readAt;
      if (age < 0 || age >= everyMs) await read();
    },
    async counters(name) {
      const counters = await pbx.queueCounters(name);
      if (counters === undefined) return undefined;
      const { completed, abandoned } = counters;
      const before = counted.get(name);
      const reset = before !== undefined && (completed < before.completed || abandoned < before.abandoned);
      const since = reset ? now() : (before?.since ?? 0);
      // Names are those of queues that there are.
      counted.set(name, { completed, abandoned, since });
      return { counters, since: Math.max(since, started) || undefined };
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
