/** A source that is asked now and then, because it does not tell when it changes. */

import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../log.ts';
import type { Person, Source, SourceName } from './phonebook.ts';
import { createShare, type Share } from './sharing.ts';
import { inSlices } from './slices.ts';

/** What {@link createRefreshed} needs. */
export interface RefreshedOptions {
  readonly name: SourceName;
  /** Between two readings, milliseconds. */
  readonly everyMs: number;
  /** After one that failed, milliseconds. */
  readonly retryMs: number;
  readonly log: Log;
  /** Whether there is anybody to ask; where not, that is nothing to complain of. Left out: always. */
  readonly isReady?: () => boolean;
  /**
   * Everybody there is, each passed through `share`, so that who is as before is in memory once; rejects where that cannot be told. Ends soon when
   * `signal` is aborted.
   */
  read(signal: AbortSignal, share: Share): Promise<readonly Person[]>;
}

/** A {@link Source} that can be told to read now. */
export interface Refreshed extends Source {
  /** Reads at once, or again after a reading that is under way. */
  refresh(): void;
}

/** Reads in the background from its start on; a reading that fails is logged, and what was read last stays. */
export function createRefreshed(options: RefreshedOptions): Refreshed {
  const { name, log, read } = options;
  const stopping = new AbortController();
  let persons: readonly Person[] = [];
  let listener = () => {};
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let again = false;
  let reason = '';

  async function once(): Promise<number> {
    try {
      const share = await inSlices(createShare(persons), () => stopping.signal.aborted);
      if (share === undefined) return options.everyMs;
      const next = await read(stopping.signal, share);
      if (stopping.signal.aborted) return options.everyMs;
      reason = '';
      if (await inSlices(areSame(next, persons), () => stopping.signal.aborted)) return options.everyMs;
      persons = next;
      log.info({ source: name, persons: next.length }, 'phonebook source read');
      listener();
      return options.everyMs;
    } catch (error) {
      const level = String(error) === reason ? 'debug' : 'warn';
      reason = String(error);
      if (!stopping.signal.aborted) {
        log[level](
          { source: name, reason },
          'phonebook source cannot be read, what was read last stays in force',
        );
      }
      return options.retryMs;
    }
  }

  function refresh(): void {
    if (stopping.signal.aborted) return;
    if (reading !== undefined) {
      again = true;
      return;
    }
    clearTimeout(timer);
    if (options.isReady?.() === false) {
      timer = setTimeout(refresh, options.retryMs).unref();
      return;
    }
    reading = once().then((waitMs) => {
      reading = undefined;
      if (stopping.signal.aborted) return;
      if (again) {
        again = false;
        refresh();
      } else timer = setTimeout(refresh, waitMs).unref();
    });
  }

  return {
    name,
    get persons() {
      return persons;
    },
    onChange(listen) {
      listener = listen;
    },
    refresh,
    async start() {
      refresh();
    },
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await reading;
    },
  };
}

/** Whether nothing has changed: then there is no phonebook to be made. */
function* areSame(now: readonly Person[], before: readonly Person[]): Generator<void, boolean> {
  if (now.length !== before.length) return false;
  for (const [index, person] of now.entries()) {
    if (index % 100 === 0) yield;
    if (person !== before[index] && !isDeepStrictEqual(person, before[index])) return false;
  }
  return true;
}
