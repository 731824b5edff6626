/**
 * Events of the telephone system, taken in one after the other. A snapshot of thousands of channels goes in slice by slice, and commands are
 * served in between; what happens meanwhile waits for its turn.
 */

import type { Calls } from './calls/calls.ts';
import type { CallChange } from './calls/changes.ts';
import type { Log } from './log.ts';
import type { PbxEvent } from './pbx/events.ts';

/** What {@link createIntake} needs. */
export interface IntakeOptions {
  readonly calls: Pick<Calls, 'apply' | 'digest'>;
  /** Gets what the call model says, as soon as it says it. */
  onChanges(changes: readonly CallChange[]): void;
  /** Called for each event after the call model has taken it in, with all that this said. */
  onTaken(event: PbxEvent, changes: readonly CallChange[]): void;
  /** Whether it is known from the beginning whose channels count. Default: true. */
  readonly isOpen?: boolean;
  /** Called where too much happened before {@link Intake.open}: the state has to be read again. */
  onLost?(): void;
  readonly log: Log;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
  readonly limits?: Partial<IntakeLimits>;
}

/** Bounds of the intake. */
export interface IntakeLimits {
  /** How long others may be kept waiting at a time, milliseconds. */
  readonly sliceMs: number;
  /** Events that may wait while a snapshot is taken in; with more, the rest of it is taken in at once. */
  readonly waiting: number;
}

/** The intake. */
export interface Intake {
  take(event: PbxEvent): void;
  /** Events that wait for a snapshot to be taken in. */
  readonly waiting: number;
  /** Half of a snapshot may be in. */
  readonly isBusy: boolean;
  /** Whose channels count is known now: takes in what waits for that. Events that come before are kept, from the last snapshot on. */
  open(): void;
  /** Forgets what waits. */
  stop(): void;
}

const defaults: IntakeLimits = { sliceMs: 10, waiting: 20_000 };

/** Makes the intake. */
export function createIntake(options: IntakeOptions): Intake {
  const { calls, onChanges, onTaken, onLost = () => {}, log, monotonic } = options;
  const limits = { ...defaults, ...options.limits };
  let waiting: PbxEvent[] = [];
  /** The first of `waiting` that was not taken out yet. */
  let at = 0;
  let work: Iterator<void> | undefined;
  let isOpen = options.isOpen ?? true;
  let lost = false;
  let next: NodeJS.Immediate | undefined;

  function takeWhole(event: PbxEvent): void {
    const changes = calls.apply(event);
    if (changes.length > 0) onChanges(changes);
    onTaken(event, changes);
  }

  function takeOut(): PbxEvent | undefined {
    const event = waiting[at];
    at += 1;
    if (event !== undefined) return event;
    waiting = [];
    at = 0;
    return undefined;
  }

  function* inSlices(): Generator<void, void> {
    for (let event = takeOut(); event !== undefined; event = takeOut()) {
      if (event.type === 'snapshot') {
        const all: CallChange[] = [];
        for (const changes of calls.digest(event)) {
          if (changes.length > 0) onChanges(changes);
          for (const change of changes) all.push(change);
          yield;
        }
        onTaken(event, all);
      } else takeWhole(event);
      yield;
    }
  }

  /** Goes on for so many milliseconds, or to the end. A defect costs its event only. */
  function go(ms: number): void {
    const end = monotonic() + ms;
    while (work !== undefined) {
      try {
        if (work.next().done === true) work = undefined;
      } catch (error) {
        log.error({ err: error }, 'an event of the telephone system could not be processed');
        work = inSlices();
      }
      if (work !== undefined && monotonic() >= end) {
        next = setImmediate(go, limits.sliceMs);
        return;
      }
    }
  }

  return {
    get waiting() {
      return waiting.length - at;
    },
    get isBusy() {
      return work !== undefined;
    },
    open() {
      if (isOpen) return;
      isOpen = true;
      if (lost) onLost();
      else if (waiting.length > 0) {
        work = inSlices();
        go(limits.sliceMs);
      }
    },
    take(event) {
      if (!isOpen) {
        if (event.type === 'snapshot') {
          waiting = [];
          lost = false;
        }
        if (waiting.length >= limits.waiting) {
          waiting = [];
          lost = true;
        }
        if (!lost) waiting.push(event);
        return;
      }
      if (work === undefined && event.type !== 'snapshot') {
        takeWhole(event);
        return;
      }
      waiting.push(event);
      if (work === undefined) {
        work = inSlices();
        go(limits.sliceMs);
      } else if (waiting.length - at > limits.waiting) {
        log.warn({ events: waiting.length - at }, 'so much happens that a snapshot is taken in at once');
        clearImmediate(next);
        go(Number.POSITIVE_INFINITY);
      }
    },
    stop() {
      clearImmediate(next);
      work = undefined;
      waiting = [];
      at = 0;
    },
  };
}
