import { createBackoff } from '../backoff.ts';
import { Failure, fail } from '../errors.ts';
import { type AmiAction, action, checkedChannel, checkedContext, checkedExtension } from './action.ts';
import { unavailable } from './answer.ts';
import { checkedRoom, readConferences } from './conferences.ts';
import { type Control, openControl } from './control.ts';
import { putAction, readEntry, readFamily, removeEntry } from './database.ts';
import { readEndpoints } from './endpoints.ts';
import type { PbxEvent } from './events.ts';
import { openFeed } from './feed.ts';
import { type FramingCounts, newFramingCounts } from './framing.ts';
import { type Connection, keepLinked, type Link } from './link.ts';
import type { Log } from './log.ts';
import type { Account } from './login.ts';
import { readMailboxes } from './mailboxes.ts';
import { sendNotify } from './notify.ts';
import { begun, callExtension, joinCall, speakInto, takeCall } from './originate.ts';
import { parkAction, parkedIn, readParkedCalls } from './parking.ts';
import type { Pbx, PbxId, PbxState } from './pbx.ts';
import { pauseAction, readQueueMembers } from './queues.ts';
import type { AmiTls } from './socket.ts';
import { beginTransfer, consults } from './transfer.ts';
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
export interface Asterisk extends Pbx {
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
  /**
   * How long what was begun may be in coming: an originated channel before Asterisk's word alone counts, three times that for a
   * consultation before it counts as not begun. It takes a few milliseconds, and a quarter of a second, on a healthy system.
   */
  readonly beginMs: number;
}

/** causes.h */
const AST_CAUSE_CALL_REJECTED = 21;

const defaults: AsteriskLimits = {
  connectTimeoutMs: 5000,
  loginTimeoutMs: 5000,
  pingMs: 10_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 15_000,
  refusedMs: 60_000,
  maxPending: 1000,
  maxMeanwhile: 200_000,
  beginMs: 1000,
};

/** How long a parked call may be in coming, milliseconds. */
const PARK_MS = 2000;

/** For a hangup of what may have ended by itself. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof Failure && error.code === 'no-such-channel')) throw error;
}

/**
 * An Asterisk over two AMI connections, each coming back by itself: one acts, one listens. A flood of events never delays an answer,
 * and each account has the rights it needs and no more.
 */
export function createAsterisk(options: AsteriskOptions): Asterisk {
  const { id, host, port, tls, actionTimeoutMs, log, clock } = options;
  const limits = { ...defaults, ...options.limits };
  const { connectTimeoutMs, loginTimeoutMs, pingMs, refusedMs, reconnectMinMs, reconnectMaxMs } = limits;
  const common = { host, port, tls, connectTimeoutMs, loginTimeoutMs, actionTimeoutMs, pingMs };
  const watch = createWatch();
  const stateListeners = new Set<(state: PbxState) => void>();
  let listener: (event: PbxEvent) => void = () => {};
  let control: Control | undefined;
  const reasons = { control: 'not started', feed: 'not started' };
  /** Missing rights that the operator was told of: each once, or every click would be a line. */
  const complained = new Set<string>();
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
      ...(options.onAction && { onSettled: options.onAction }),
    });
    control = opened;
    void opened.closed.then(() => {
      if (control === opened) control = undefined;
    });
    return opened;
  }

  const openListening = (signal: AbortSignal) =>
    openFeed({
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

  function acting(): Control {
    if (control === undefined) throw unavailable();
    return control;
  }

  /** Tells the operator when a right is missing: the caller can do nothing about it. */
  async function withRights<T>(work: (control: Control) => Promise<T>): Promise<T> {
    try {
      return await work(acting());
    } catch (error) {
      if (error instanceof Failure && error.code === 'not-permitted' && !complained.has(error.message)) {
        complained.add(error.message);
        log.warn(
          { pbx: id, account: options.control.username, failure: error.message },
          "the control account needs more in its 'write =' line of manager.conf",
        );
      }
      throw error;
    }
  }

  async function run(sent: AmiAction): Promise<void> {
    await withRights((acts) => acts.run(sent));
  }

  /**
   * Originates, and stays until the channel is there or known never to come. Where nothing is heard in time Asterisk's word
   * stands: the feed may be away.
   */
  async function start(sent: AmiAction, uniqueId: string): Promise<void> {
    const told = watch.next((event) => begun(event, uniqueId), limits.beginMs);
    await told.after(run(sent));
    const outcome = state.feed ? await told.outcome : undefined;
    if (outcome instanceof Failure) throw outcome;
  }

  return {
    id,
    get state() {
      return state;
    },
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
    async originate(call) {
      await start(callExtension(call), call.uniqueId);
    },
    async pickup(call, channel) {
      await start(takeCall(call, channel), call.uniqueId);
    },
    async listen(call, channel, mode) {
      await start(joinCall(call, channel, mode), call.uniqueId);
    },
    async announce(channel, context, exten) {
      await run(speakInto(channel, context, exten));
    },
    async hangup(channel, reason) {
      const cause = reason === 'rejected' ? { Cause: String(AST_CAUSE_CALL_REJECTED) } : {};
      await run(action('Hangup', { Channel: checkedChannel(channel), ...cause }));
    },
    async blindTransfer(channel, context, exten) {
      await run(
        action('BlindTransfer', {
          Channel: checkedChannel(channel),
          Context: checkedContext(context),
          Exten: checkedExtension(exten),
        }),
      );
    },
    async redirect(channel, context, exten, other) {
      await run(
        action('Redirect', {
          Channel: checkedChannel(channel),
          Context: checkedContext(context),
          Exten: checkedExtension(exten),
          Priority: '1',
          ...(other !== undefined && {
            ExtraChannel: checkedChannel(other),
            ExtraContext: checkedContext(context),
            ExtraExten: checkedExtension(exten),
            ExtraPriority: '1',
          }),
        }),
      );
    },
    async attendedTransfer(channel, context, exten) {
      const held = watch.next(
        (event) => (event.type === 'hold' && event.channel.name === channel ? true : undefined),
        // Asterisk presses five keys before it holds.
        3 * limits.beginMs,
      );
      await held.after(run(beginTransfer(channel, context, exten)));
      // Asterisk presses keys that nobody may hear in a bridge that is just being made, and says Success all the same.
      // Without the feed nothing is heard, and Asterisk's word stands.
      if (state.feed && (await held.outcome) === undefined) {
        fail('rejected', 'The telephone system did not begin the consultation: try again in a moment.');
      }
    },
    consults: async (channel) => withRights((acts) => consults(acts, channel)),
    async cancelTransfer(channel) {
      await run(action('CancelAtxfer', { Channel: checkedChannel(channel) }));
    },
    async join(one, other) {
      const headers = { Channel1: checkedChannel(one), Channel2: checkedChannel(other), Tone: 'no' };
      await run(action('Bridge', headers));
    },
    async park(channel, parker, lot) {
      // Asterisk says Success to a lot that there is not, and does nothing.
      if (lot !== undefined) await withRights((acts) => readParkedCalls(acts, lot));
      const told = watch.next((event) => parkedIn(event, channel), PARK_MS);
      await told.after(run(parkAction(channel, parker, lot)));
      const parked = await told.outcome;
      if (parked === undefined)
        fail('rejected', 'The call could not be parked: the parking lot may be full.');
      // Who parked is left in the old bridge, alone and connected.
      await run(action('Hangup', { Channel: checkedChannel(parker) })).catch(ignoreGone);
      return parked;
    },
    parkedCalls: async (lot) => withRights((acts) => readParkedCalls(acts, lot)),
    async sendDigits(channel, digits, as) {
      if (!/^[0-9A-D*#]{1,64}$/.test(digits)) fail('invalid-target', 'Digits are 0 to 9, A to D, * and #.');
      for (const digit of digits) {
        const heard: Record<string, string> = as === 'received' ? { Receive: 'true' } : {};
        await run(action('PlayDTMF', { Channel: checkedChannel(channel), Digit: digit, ...heard }));
      }
    },
    async mute(channel, direction, muted) {
      const state = muted ? 'on' : 'off';
      await run(
        action('MuteAudio', { Channel: checkedChannel(channel), Direction: direction, State: state }),
      );
    },
    notify: (device, what, inside) => sendNotify(run, device, what, inside),
    conferences: async () => withRights(readConferences),
    async conferenceKick(room, channel) {
      await run(
        action('ConfbridgeKick', { Conference: checkedRoom(room), Channel: checkedChannel(channel) }),
      );
    },
    async conferenceMute(room, channel, muted) {
      const name = muted ? 'ConfbridgeMute' : 'ConfbridgeUnmute';
      await run(action(name, { Conference: checkedRoom(room), Channel: checkedChannel(channel) }));
    },
    async conferenceLock(room, locked) {
      await run(action(locked ? 'ConfbridgeLock' : 'ConfbridgeUnlock', { Conference: checkedRoom(room) }));
    },
    async userEvent(name, fields) {
      await run(action('UserEvent', { UserEvent: name, ...Object.fromEntries(fields) }));
    },
    async endpoints() {
      return withRights((acts) => readEndpoints(acts, log));
    },
    async mailboxes() {
      return withRights((acts) => readMailboxes(acts, log));
    },
    async dbGet(family, key) {
      return withRights((acts) => readEntry(acts, family, key));
    },
    async dbFamily(family) {
      return withRights((acts) => readFamily(acts, family));
    },
    async dbPut(family, key, value) {
      await run(putAction(family, key, value));
    },
    async dbDel(family, key) {
      await withRights((acts) => removeEntry(acts, family, key));
    },
    async queueMembers() {
      return withRights((acts) => readQueueMembers(acts, log));
    },
    async queuePause(queue, member, paused, reason) {
      await run(pauseAction(queue, member, paused, reason));
    },
  };
}
