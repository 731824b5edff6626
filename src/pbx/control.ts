import { randomBytes } from 'node:crypto';
import net, { type Socket } from 'node:net';
import createManager, { type Manager, type ManagerMessage } from 'asterisk-manager';
import { StanzaError } from '../errors.ts';
import { gated } from '../gated.ts';
import { readActions } from './abilities.ts';
import { type AmiAction, action } from './action.ts';
import { refusal, timedOut, tooMany, unavailable } from './answer.ts';
import { createGate } from './gate.ts';
import type { Connection } from './link.ts';
import { watchLiveness } from './liveness.ts';
import type { Account } from './login.ts';
import { mostListed, openSession } from './session.ts';
import type { Address } from './socket.ts';

export type { ManagerMessage };

/** What {@link openControl} needs. */
export interface ControlOptions extends Address {
  readonly account: Account;
  /** Limit for the login, milliseconds. */
  readonly loginTimeoutMs: number;
  /** Limit for the answer to one action, milliseconds. */
  readonly actionTimeoutMs: number;
  /** How often a sign of life is asked for, milliseconds. */
  readonly pingMs: number;
  /** Most actions that may wait for their answers at once. */
  readonly maxPending: number;
  /** Most items of one list; default `mostListed`. */
  readonly maxListed?: number;
  /** Called when an action is refused because so many wait. */
  onFull?(): void;
  /** Called when an action has been answered, refused or given up. */
  onSettled?(action: string, ms: number, ok: boolean): void;
}

/** The connection that acts: every action is answered, refused or given up in bounded time, and none outlives it. */
export interface Control extends Connection {
  /** Names of the actions that Asterisk offers to the account; undefined where it did not say. */
  readonly actions: ReadonlySet<string> | undefined;
  /** How many actions wait for their answers. */
  readonly pending: number;
  /**
   * Carries an action out; resolves with Asterisk's answer. Rejects with `Failure` (what Asterisk said; `pbx-unavailable` when the
   * connection breaks first) or `StanzaError` (`remote-server-timeout`, `resource-constraint`).
   */
  run(action: AmiAction): Promise<ManagerMessage>;
  /**
   * Carries a list action out; resolves with its items. Rejects as {@link run} does, with `resource-constraint` also where they are more than
   * `maxListed`. The deadline counts from the last item.
   */
  list(action: AmiAction): Promise<readonly ManagerMessage[]>;
}

interface Pending {
  readonly timer: NodeJS.Timeout;
  readonly items: ManagerMessage[] | undefined;
  readonly settle: (outcome: Error | readonly ManagerMessage[]) => void;
}

/**
 * Connects, logs in with events off and puts asterisk-manager on the connection. The login is ours, for the library can
 * neither answer a challenge nor use TLS nor give up. Its own login follows without account or secret: Asterisk answers
 * `Already authenticated` (manager.c action_login), which is what the library needs to see before it sends anything.
 *
 * Rejects as `openSession` does.
 */
export async function openControl(options: ControlOptions): Promise<Control> {
  const { actionTimeoutMs, pingMs, maxPending, maxListed = mostListed } = options;
  const session = await openSession(options);
  const actions = await readActions(session);
  const socket = session.release();
  const pending = new Map<string, Pending>();
  // A fresh instance for each connection: what it has parsed and queued can never reach the next one.
  const manager = createManager(null, '', '', '', false);

  let close: (reason: string) => void = () => {};
  let gone = false;
  const closed = new Promise<string>((resolve) => {
    close = (reason) => {
      if (gone) return;
      gone = true;
      for (const waiting of pending.values()) waiting.settle(unavailable());
      manager.removeAllListeners();
      // COMPAT: the library passes a late error of the socket on; one that nobody hears ends the process.
      manager.on('error', () => {});
      // Errors on the way down have no one left to tell.
      socket.on('error', () => close('broken')).destroy();
      resolve(reason);
    };
  });
  socket.on('error', (error) => close(`the connection broke: ${error.message}`));
  socket.on('close', () => close('Asterisk closed the connection'));
  socket.on('end', () => close('Asterisk closed the connection'));
  if (socket.destroyed) close('Asterisk closed the connection');

  gated(socket, createGate(), (error) => close(error.message));
  adopt(manager, socket);
  guard(manager, (id) => pending.has(id));
  manager.on('managerevent', (message) => {
    const waiting = pending.get(text(message, 'actionid'));
    if (waiting?.items === undefined) return;
    if (text(message, 'eventlist') !== '') waiting.settle(waiting.items);
    else if (waiting.items.push(message) > maxListed) waiting.settle(tooMany(maxListed));
    else waiting.timer.refresh();
  });

  function perform(sent: AmiAction, items: ManagerMessage[] | undefined): Promise<readonly ManagerMessage[]> {
    if (gone) return Promise.reject(unavailable());
    if (pending.size >= maxPending) {
      options.onFull?.();
      return Promise.reject(
        new StanzaError('resource-constraint', 'Too many requests wait for the telephone system.'),
      );
    }
    // Unguessable, and no event name: the library emits events and answers on one emitter.
    const id = `offhook-${randomBytes(12).toString('hex')}`;
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const settle: Pending['settle'] = (outcome) => {
        options.onSettled?.(sent.name, performance.now() - began, !(outcome instanceof Error));
        clearTimeout(timer);
        pending.delete(id);
        manager.removeAllListeners(id);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const timer = setTimeout(() => settle(timedOut(sent.name, actionTimeoutMs)), actionTimeoutMs);
      pending.set(id, { timer, items, settle });
      manager.action(
        { action: sent.name, ...Object.fromEntries(sent.headers), actionid: id },
        (refused, answer) => {
          if (refused !== undefined) settle(refusal(sent.name, text(refused, 'message')));
          else if (items === undefined || text(answer, 'eventlist') === '') settle([answer]);
        },
      );
    });
  }

  const control: Control = {
    actions,
    get pending() {
      return pending.size;
    },
    closed,
    close,
    async run(sent) {
      const [answer] = await perform(sent, undefined);
      return answer ?? {};
    },
    list: (sent) => perform(sent, []),
  };
  await loggedIn(manager, control, options.loginTimeoutMs);
  watchLiveness(
    {
      received: () => socket.bytesRead,
      // Liveness is judged by the bytes, so the answer itself is not.
      ping: () => void control.run(action('Ping')).catch(() => 'unanswered'),
      closed,
      close,
    },
    pingMs,
  );
  return control;
}

/**
 * Lets the library hear of nothing but answers to what was asked. It emits events and answers by the names that they bear, on the emitter that it
 * uses itself: an event called `RawEvent` would be handled again and again, and nothing else ever.
 */
function guard(manager: Manager, isAsked: (id: string) => boolean): void {
  const [handle] = manager.listeners('rawevent');
  manager.removeAllListeners('rawevent');
  manager.on('rawevent', (message) => {
    const id = text(message, 'actionid');
    const isAnswer = isAsked(id) || loginId.test(id);
    if (isAnswer && text(message, 'event').toLowerCase() !== 'rawevent') handle?.(message);
  });
}

// The library's own login bears the time, in milliseconds.
const loginId = /^[0-9]+$/;

/**
 * Gives the library a socket that is connected already. It knows one way to get one, `net.createConnection(port, host)`, which it
 * calls at once; for that moment the function is another.
 */
function adopt(manager: Manager, socket: Socket): void {
  const original = net.createConnection;
  net.createConnection = () => socket;
  try {
    manager.connect(0, '');
  } finally {
    net.createConnection = original;
  }
}

function loggedIn(manager: Manager, control: Control, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      control.close('the login was not confirmed');
    }, timeoutMs);
    void control.closed.then((reason) => {
      clearTimeout(timer);
      reject(new Error(reason));
    });
    manager.login((error) => {
      clearTimeout(timer);
      if (error === undefined || error === null) resolve();
      else control.close('the login was not confirmed');
    });
  });
}

/** A header's value; the first one where it is repeated. */
export function text(message: ManagerMessage, key: string): string {
  const value = message[key];
  if (typeof value === 'string') return value;
  const first: unknown = Array.isArray(value) ? value[0] : undefined;
  return typeof first === 'string' ? first : '';
}
