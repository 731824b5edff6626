import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type AmiAction, wire } from './action.ts';
import { timedOut, tooMany, unavailable } from './answer.ts';
import { createFramer, type FramingCounts } from './framing.ts';
import { type Account, login, Refused } from './login.ts';
import type { AmiMessage } from './message.ts';
import { type Address, openSocket } from './socket.ts';
import { type WantedEvents, wantedEvents } from './wanted.ts';

/** Items of one list: channels, devices, entries of the AstDB. One that is longer is a mistake, or has no end. */
export const mostListed = 200_000;

/** What {@link openSession} needs. */
export interface SessionOptions extends Address {
  readonly account: Account;
  /** Limit for the login, from the connect on, milliseconds. */
  readonly loginTimeoutMs: number;
  /** Limit for the answer to one action, milliseconds. */
  readonly actionTimeoutMs: number;
  /** Most items of one list; default {@link mostListed}. */
  readonly maxListed?: number;
  /** Events to hand on. Left out: the account's events are turned off. */
  readonly wanted?: WantedEvents | undefined;
  /** Called synchronously, in order, for every wanted event that is not part of a list. Valid during the call. Must not throw. */
  onEvent?(message: AmiMessage): void;
  /** Called with the bytes as they come, before they are read. Valid during the call. Only with {@link onEvent}. */
  onBytes?(bytes: Buffer): void;
  /** Where to count on from; see `FramerOptions`. */
  readonly counts?: FramingCounts;
}

/** A logged-in AMI connection. */
export interface AmiSession {
  /** Version in the banner, e.g. `11.0.0`. */
  readonly version: string;
  /** What came through so far. */
  readonly counts: Readonly<FramingCounts>;
  /** Resolves with the reason when the connection is gone. */
  readonly closed: Promise<string>;
  /** Sends an action; resolves with its answer, whichever it is. Rejects when none comes in time, or the connection breaks. */
  exchange(action: AmiAction): Promise<AmiMessage>;
  /**
   * Sends a list action. `onItem` gets each item (valid during the call); resolves with the answer: the closing event's where the list
   * was given, else the refusal. Rejects as {@link exchange} does, and where the items are more than `maxListed`. `onBegin` is called
   * where the list begins.
   */
  list(action: AmiAction, onItem: (item: AmiMessage) => void, onBegin?: () => void): Promise<AmiMessage>;
  /** Gives the socket away: it reads no more for this session, which is over. Only without `onEvent`. */
  release(): Socket;
  /** Closes at once. */
  close(reason: string): void;
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: AmiMessage) => void;
  readonly reject: (error: Error) => void;
  readonly onItem: ((item: AmiMessage) => void) | undefined;
  readonly onBegin: (() => void) | undefined;
  /** Items that came. */
  items: number;
}

/**
 * Connects, reads the banner, logs in. Rejects with an Error that says what to check, {@link Refused} where only a change of
 * configuration can help; nothing stays open then.
 */
export async function openSession(options: SessionOptions): Promise<AmiSession> {
  const { account, loginTimeoutMs, actionTimeoutMs, maxListed = mostListed } = options;
  const { wanted = wantedEvents([]), onEvent, onBytes } = options;
  const pending = new Map<string, Pending>();
  let ended = '';
  let version = '';
  let greeted: (version: string) => void = () => {};
  const greeting = new Promise<string>((resolve) => {
    greeted = resolve;
  });

  const framer = createFramer({
    ...(options.counts && { counts: options.counts }),
    wanted,
    onBanner: (line) => greeted(line.slice(line.indexOf('/') + 1)),
    onMessage(message) {
      // Live events bear no ActionID but OriginateResponse, whose action was another connection's.
      const id = pending.size === 0 ? '' : message.get('ActionID');
      const waiting = id === '' ? undefined : pending.get(id);
      if (waiting === undefined) {
        if (message.event !== '') onEvent?.(message);
        return;
      }
      const list = message.get('EventList');
      if (message.event === '' && list.toLowerCase() === 'start' && waiting.onItem !== undefined) {
        waiting.onBegin?.();
      } else if (message.event !== '' && list === '') {
        waiting.items += 1;
        if (waiting.items > maxListed) {
          settle(id, waiting);
          waiting.reject(tooMany(maxListed));
          return;
        }
        waiting.timer.refresh();
        waiting.onItem?.(message);
      } else {
        settle(id, waiting);
        waiting.resolve(message.copy());
      }
    },
  });

  const onData = (bytes: Buffer) => {
    onBytes?.(bytes);
    framer.push(bytes);
  };
  const socket = await openSocket(options, onEvent === undefined ? undefined : onData);
  if (onEvent === undefined) socket.on('data', onData);

  let close: (reason: string) => void = () => {};
  const closed = new Promise<string>((resolve) => {
    close = (reason) => {
      if (ended !== '') return;
      ended = reason;
      for (const [id, waiting] of pending) {
        settle(id, waiting);
        waiting.reject(unavailable());
      }
      socket.destroy();
      resolve(reason);
    };
  });
  const onError = (error: Error) => close(`the connection broke: ${error.message}`);
  const onClose = () => close('Asterisk closed the connection');
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.on('end', onClose);

  function settle(id: string, waiting: Pending): void {
    clearTimeout(waiting.timer);
    pending.delete(id);
  }

  function send(
    sent: AmiAction,
    onItem?: (item: AmiMessage) => void,
    onBegin?: () => void,
  ): Promise<AmiMessage> {
    if (ended !== '') return Promise.reject(unavailable());
    const id = randomBytes(12).toString('hex');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(timedOut(sent.name, actionTimeoutMs));
      }, actionTimeoutMs);
      pending.set(id, { timer, resolve, reject, onItem, onBegin, items: 0 });
      socket.write(wire(id, sent));
    });
  }

  const session: AmiSession = {
    get version() {
      return version;
    },
    counts: framer.counts,
    closed,
    exchange: (sent) => send(sent),
    list: send,
    release() {
      socket.off('data', onData).off('error', onError).off('close', onClose).off('end', onClose);
      ended = 'released';
      return socket;
    },
    close,
  };

  let watchdog: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    watchdog = setTimeout(() => {
      const what =
        version === ''
          ? 'showed no AMI banner (is this its AMI port, with or without TLS?)'
          : 'did not answer the login';
      reject(new Error(`Asterisk ${what} within ${loginTimeoutMs / 1000} s`));
    }, loginTimeoutMs);
  });
  const broken = closed.then((reason) => Promise.reject(new Error(reason)));
  try {
    return await Promise.race([late, broken, handshake()]);
  } catch (error) {
    const reason = ended;
    close('the login failed');
    throw reason === '' || error instanceof Refused ? error : new Error(reason, { cause: error });
  } finally {
    clearTimeout(watchdog);
  }

  async function handshake(): Promise<AmiSession> {
    version = await greeting;
    await login((sent) => send(sent), account, {
      encrypted: options.tls !== undefined,
      events: options.wanted !== undefined,
    });
    return session;
  }
}
