import { createBackoff } from '../backoff.ts';
import { type Bounded, createBound } from '../bounds.ts';
import { createAbilities } from './abilities.ts';
import { createActing } from './acting.ts';
import { unavailable } from './answer.ts';
import { channelVerbs } from './channels.ts';
import { conferenceVerbs } from './conferences.ts';
import { type Control, openControl } from './control.ts';
import { databaseVerbs } from './database.ts';
import { readEndpoints } from './endpoints.ts';
import type { PbxEvent } from './events.ts';
import { type Feed, openFeed } from './feed.ts';
import { type FramingCounts, newFramingCounts } from './framing.ts';
import { type Connection, keepLinked, type Link } from './link.ts';
import type { Log } from './log.ts';
import type { Account } from './login.ts';
import { readMailboxes } from './mailboxes.ts';
import { notifyVerbs } from './notify.ts';
import { ringVerbs } from './originate.ts';
import { parkingVerbs } from './parking.ts';
import type { Pbx, PbxId, PbxState } from './pbx.ts';
import { queueVerbs } from './queues.ts';
import { recordingVerbs } from './recording.ts';
import { mostListed } from './session.ts';
import type { AmiTls } from './socket.ts';
import { transferVerbs } from './transfer.ts';
import { createWatch } from './watch.ts';

/** What {@link createAsterisk} needs. Times are milliseconds. */
export interface AsteriskOptions {
  readonly id: PbxId;
  readonly host: string;
  /** Port of AMI; of AMI over TLS where `tls` is given. */
  readonly port: number;
  readonly tls?: AmiTls | undefined;
  /** Account for actions: `read = call`, `write = system,call,agent,originate,reporting` (`system`: endpoints, NOTIFY, AstDB; `agent`: queues). */
  readonly control: Account;
  /** Account for events: `read = system,call,agent,dialplan`, `write = reporting`; with `system` in `write` Asterisk filters at the source. */
  readonly feed: Account;
  /** Limit for the answer to one action. */
  readonly actionTimeoutMs: number;
  readonly log: Log;
  /** The clock that events are stamped with, epoch milliseconds. */
  readonly clock: { now(): number };
  readonly limits?: Partial<AsteriskLimits>;
  /** Called when an action has been answered, refused or given up: its AMI name, and how long that took. */
  onAction?(action: string, ms: number, ok: boolean): void;
}

/** Numbers for metrics; counts run from the start of the process. */
export interface AsteriskCounters {
  /** What the event connections have read. */
  readonly feed: Readonly<FramingCounts>;
  /** Events of the telephone system that were handed on. */
  readonly events: number;
  /** Times each connection came up. */
  readonly connects: { readonly control: number; readonly feed: number };
  /** Actions that wait for their answers. */
  readonly pending: number;
}

/** The adapter. */
export interface Asterisk extends Pbx, Bounded {
  readonly counters: AsteriskCounters;
  /** When what is being handed on was read from the socket, in `performance.now()` milliseconds; undefined between reads. */
  readonly readAt: number | undefined;
}

/** Times and bounds that seldom need another value. */
export interface AsteriskLimits {
  readonly connectTimeoutMs: number;
  readonly loginTimeoutMs: number;
  /** A vanished peer is noticed within two of these. */
  readonly pingMs: number;
  /** First and longest wait between attempts to connect. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Wait after Asterisk refused the account. */
  readonly refusedMs: number;
  readonly maxPending: number;
  readonly maxMeanwhile: number;
  /** Items of one list that are read: channels, devices, entries of the AstDB. */
  readonly maxListed: number;
  /**
   * How long what was begun may be in coming: an originated channel before Asterisk's word alone counts, three times that for a
   * consultation before it counts as not begun. It takes a few milliseconds, and a quarter of a second, on a healthy system.
   */
  readonly beginMs: number;
}

const defaults: AsteriskLimits = {
  connectTimeoutMs: 5000,
  loginTimeoutMs: 5000,
  pingMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 15_000,
  refusedMs: 60_000,
  maxPending: 1000,
  maxMeanwhile: 200_000,
  maxListed: mostListed,
  beginMs: 1000,
};

/**
 * An Asterisk over two AMI connections, each coming back by itself: one acts, one listens. A flood of events never delays an answer,
 * and each account has the rights it needs and no more.
 */
export function createAsterisk(options: AsteriskOptions): Asterisk {
  const { id, host, port, tls, actionTimeoutMs, log, clock } = options;
  const limits = { ...defaults, ...options.limits };
  const { connectTimeoutMs, loginTimeoutMs, pingMs, refusedMs, reconnectMinMs, reconnectMaxMs } = limits;
  const { maxListed } = limits;
  const common = { host, port, tls, connectTimeoutMs, loginTimeoutMs, actionTimeoutMs, pingMs, maxListed };
  const watch = createWatch();
  const stateListeners = new Set<(state: PbxState) => void>();
  let listener: (event: PbxEvent) => void = () => {};
  let control: Control | undefined;
  let feed: Feed | undefined;
  let offered: ReadonlySet<string> | undefined;
  const actions = createBound('actions', limits.maxPending, () => control?.pending ?? 0);
  const reasons = { control: 'not started', feed: 'not started' };
  let links: readonly Link[] = [];
  let state: PbxState = stateNow();
  const counters = { feed: newFramingCounts(), events: 0, connects: { control: 0, feed: 0 } };
  let readAt: number | undefined;

  function noteRead(): void {
    readAt = performance.now();
    // What is handed on within the read is as old as the read; what others do afterwards is not.
    queueMicrotask(() => {
      readAt = undefined;
    });
  }
  let endStart = () => {};

  function stateNow(): PbxState {
    const reason = Object.entries(reasons)
      .filter(([, why]) => why !== '')
      .map(([connection, why]) => `${connection}: ${why}`)
      .join('; ');
    return { control: reasons.control === '', feed: reasons.feed === '', reason };
  }

  /** Notes a change of one connection: for the port's state, the log, and who waits. */
  function changed(connection: 'control' | 'feed', up: boolean, reason: string): void {
    const was = reasons[connection];
    if (was === reason) return;
    reasons[connection] = reason;
    state = stateNow();
    if (up) counters.connects[connection] += 1;
    if (up) log.info({ pbx: id, connection }, 'connected to Asterisk');
    else
      log[reason === 'stopped' ? 'debug' : 'warn'](
        { pbx: id, connection, reason },
        'no connection to Asterisk',
      );
    if (connection === 'feed' && was === '') listener({ type: 'feed-down', at: clock.now() });
    for (const each of [...stateListeners]) each(state);
  }

  function link(connection: 'control' | 'feed', open: (signal: AbortSignal) => Promise<Connection>): Link {
    return keepLinked({
      open,
      backoff: createBackoff({ minMs: reconnectMinMs, maxMs: reconnectMaxMs }),
      refusedMs,
      onChange: (up, reason) => changed(connection, up, reason),
    });
  }

  async function openActing(signal: AbortSignal): Promise<Connection> {
    const opened = await openControl({
      ...common,
      signal,
      account: options.control,
      maxPending: limits.maxPending,
      onFull: actions.exceed,
      ...(options.onAction && { onSettled: options.onAction }),
    });
    control = opened;
    offered = opened.actions ?? offered;
    void opened.closed.then(() => {
      if (control === opened) control = undefined;
    });
    return opened;
  }

  async function openListening(signal: AbortSignal): Promise<Connection> {
    const opened = await openFeed({
      ...common,
      signal,
      account: options.feed,
      maxMeanwhile: limits.maxMeanwhile,
      log,
      now: () => clock.now(),
      counts: counters.feed,
      onRead: noteRead,
      onEvent(event) {
        counters.events += 1;
        watch.see(event);
        listener(event);
      },
    });
    feed = opened;
    void opened.closed.then(() => {
      if (feed === opened) feed = undefined;
    });
    return opened;
  }

  const acting = createActing({
    control: () => control,
    hears: () => state.feed,
    watch,
    beginMs: limits.beginMs,
    account: options.control.username,
    pbx: id,
    log,
  });

  const ring = ringVerbs(acting);
  return {
    ...ring,
    bounds: [actions, ...ring.bounds],
    id,
    get state() {
      return state;
    },
    abilities: createAbilities(() => offered),
    counters: {
      feed: counters.feed,
      connects: counters.connects,
      get events() {
        return counters.events;
      },
      get pending() {
        return control?.pending ?? 0;
      },
    },
    get readAt() {
      return readAt;
    },
    start() {
      if (links.length > 0) throw new Error('the PBX adapter was started before');
      const bothUp = new Promise<void>((resolve) => {
        const check = (now: PbxState) => {
          if (!now.control || !now.feed) return;
          endStart();
        };
        endStart = () => {
          stateListeners.delete(check);
          resolve();
        };
        stateListeners.add(check);
      });
      links = [link('control', openActing), link('feed', openListening)];
      return bothUp;
    },
    async stop() {
      control?.close('stopped');
      await Promise.all(links.map((each) => each.stop()));
      endStart();
    },
    onState(each) {
      stateListeners.add(each);
      return () => stateListeners.delete(each);
    },
    onEvent(each) {
      listener = each;
    },
    reread: () => feed?.close('the state is read anew'),
    ...channelVerbs(acting),
    ...transferVerbs(acting),
    ...parkingVerbs(acting),
    ...notifyVerbs(acting),
    ...conferenceVerbs(acting),
    ...databaseVerbs(acting),
    ...queueVerbs(acting),
    tellQueues: async () => {
      if (feed === undefined) throw unavailable();
      await feed.tellQueues();
    },
    ...recordingVerbs(acting),
    endpoints: () => acting.ask((asked) => readEndpoints(asked, log)),
    mailboxes: () => acting.ask((asked) => readMailboxes(asked, log)),
  };
}
