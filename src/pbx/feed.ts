import { action } from './action.ts';
import { whole } from './channel.ts';
import type { PbxEvent } from './events.ts';
import { filterAtSource } from './filter.ts';
import type { FramingCounts } from './framing.ts';
import type { Connection } from './link.ts';
import { watchLiveness } from './liveness.ts';
import type { Log } from './log.ts';
import { type Account, Refused } from './login.ts';
import type { AmiMessage } from './message.ts';
import { openSession } from './session.ts';
import { readLists, readQueues, snapshotItems } from './snapshot.ts';
import type { Address } from './socket.ts';
import { createTranslate, translatedEvents } from './translate.ts';
import { wantedEvents } from './wanted.ts';

/** What {@link openFeed} needs. */
export interface FeedOptions extends Address {
  readonly account: Account;
  /** Limit for the login, milliseconds. */
  readonly loginTimeoutMs: number;
  /** Limit for each list of the snapshot, from its last item, milliseconds. */
  readonly actionTimeoutMs: number;
  /** How often a sign of life is asked for, milliseconds. */
  readonly pingMs: number;
  /** Most events that are kept while the lists are read; with more the connection is given up and made again. */
  readonly maxMeanwhile: number;
  /** Most items of one list; default `mostListed`. */
  readonly maxListed?: number;
  /** Counts what is read, over all connections. */
  readonly counts: FramingCounts;
  /** Called before each read is worked on: everything it brings is as old as this moment. */
  onRead?(): void;
  readonly log: Log;
  /** Epoch milliseconds. */
  now(): number;
  /** Called synchronously, in order: first a `snapshot`, then what happens. */
  onEvent(event: PbxEvent): void;
}

/** The connection that listens. */
export interface Feed extends Connection {
  /** Has the state of all queues told as an event `queues`; resolves when it was. Several at a time share one reading. */
  tellQueues(): Promise<void>;
}

/**
 * Connects, logs in with events on, has Asterisk filter them if it may, and reads the state. Resolves after the `snapshot` and the queues were
 * handed on; rejects as `openSession` and `readLists` do. Never stops reading: what is handed on is handed on at once, and
 * a listener that throws costs its event only.
 */
export async function openFeed(options: FeedOptions): Promise<Feed> {
  const { log, maxMeanwhile, pingMs, now, onEvent } = options;
  const translate = createTranslate({ now });
  let collecting = false;
  let live = false;
  let meanwhile: PbxEvent[] = [];
  let telling: Promise<void> | undefined;
  let started: number | undefined;
  let overrun: () => void = () => {};

  const hand = (event: PbxEvent) => {
    try {
      onEvent(event);
    } catch (error) {
      log.error({ err: error, event: event.type }, 'an event of the telephone system could not be processed');
    }
  };
  const read = (message: AmiMessage) => {
    // manager.c sends it right after the login, to accounts that may read `system`.
    if (message.event === 'FullyBooted') started = startedAt(message, now());
    if (!live && !collecting) return;
    let event: PbxEvent | undefined;
    try {
      event = translate(message);
    } catch (error) {
      log.error({ err: error, event: message.event }, 'an AMI event could not be read');
    }
    if (event === undefined) return;
    if (live) hand(event);
    if (collecting && meanwhile.push(event) > maxMeanwhile) overrun();
  };

  const session = await openSession({
    ...options,
    wanted: wantedEvents([...translatedEvents, ...snapshotItems, 'FullyBooted']),
    onEvent: read,
    onBytes: () => options.onRead?.(),
  });
  overrun = () => {
    meanwhile = [];
    session.close(`more than ${maxMeanwhile} events came while the state was read`);
  };
  try {
    await filterAtSource(session, translatedEvents, log);
    const { snapshot, queues } = await readLists(session, () => {
      collecting = true;
    });
    hand({ type: 'snapshot', at: now(), snapshot: { ...snapshot, meanwhile } });
    hand({ type: 'queues', at: now(), queues, started, meanwhile });
  } catch (error) {
    session.close(error instanceof Error ? error.message : String(error));
    // Where the connection was gone before, its own reason says more than the lists that failed for it.
    throw error instanceof Refused ? error : new Error(await session.closed, { cause: error });
  }
  collecting = false;
  live = true;
  meanwhile = [];
  watchLiveness(
    {
      received: () => session.counts.bytes,
      // Liveness is judged by the bytes, so the answer itself is not.
      ping: () => void session.exchange(action('Ping')).catch(() => 'unanswered'),
      closed: session.closed,
      close: session.close,
    },
    pingMs,
  );
  log.debug({ version: session.version }, 'the event connection has its snapshot');

  // On this connection, so that list and events come in one order, whichever is the older.
  async function readAgain(): Promise<void> {
    try {
      const queues = await readQueues(session, () => {
        collecting = true;
      });
      hand({ type: 'queues', at: now(), queues, started, meanwhile });
    } finally {
      collecting = false;
      meanwhile = [];
      telling = undefined;
    }
  }
  return {
    closed: session.closed,
    close: session.close,
    tellQueues: () => (telling ??= readAgain()),
  };
}

/** When Asterisk started, by the uptime in a FullyBooted, epoch milliseconds. */
function startedAt(message: AmiMessage, now: number): number | undefined {
  const uptime = whole(message.get('Uptime'));
  return uptime === undefined ? undefined : now - uptime * 1000;
}
