/**
 * Finds the sessions that ended without a word. Servers tell a component of a client's end only where presence flows between
 * the two, so each session is pinged now and then (XEP-0199), spread evenly over the interval.
 */

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { StanzaError } from './errors.ts';
import type { FullJid } from './protocol/jid.ts';
import { serialize, xml } from './protocol/xml.ts';
import type { Session, Sessions } from './sessions.ts';
import type { Xmpp } from './xmpp/xmpp.ts';

/** What watching needs. */
export interface LivenessOptions {
  readonly xmpp: Xmpp;
  readonly sessions: Sessions;
  readonly log: Logger;
  /** Each session is asked about once in this time, milliseconds. */
  readonly intervalMs: number;
  /** How long to wait for a pong, milliseconds. */
  readonly timeoutMs: number;
  /** The clock that sessions are dated with, epoch milliseconds. */
  readonly now: () => number;
}

/** Watches over sessions. */
export interface Liveness {
  start(): void;
  stop(): void;
  /** Asks about one session now, and ends it where the server says that it is gone. Resolves when that is known; never rejects. */
  verify(jid: FullJid): Promise<void>;
}

const TICK_MS = 1000;
const MAX_PINGS_UNDER_WAY = 500;
/** A server that was restarted lost its clients, too: how long they have to come back before their sessions are asked about. */
const RETURN_MS = 120_000;

// What servers answer for a full JID that is no more: RFC 6121 §8.5.3.2.3, and what s2s says of a lost remote.
const gone = new Set(['service-unavailable', 'item-not-found', 'recipient-unavailable', 'gone']);

/** The stream to the server was lost, or is full: that says nothing about a client. See `Xmpp.request`. */
const isOurs = ({ condition, type }: StanzaError) => condition === 'service-unavailable' && type === 'wait';

/** Makes the watch; it does nothing before `start`. */
export function createLiveness(options: LivenessOptions): Liveness {
  const { xmpp, sessions, log, intervalMs, timeoutMs, now } = options;
  let timer: NodeJS.Timeout | undefined;
  let round: Iterator<Session> | undefined;
  let upSince = 0;
  xmpp.onState(({ status }) => {
    if (status === 'online') upSince = now();
  });
  const asking = new Set<FullJid>();
  /** Ids of the messages that ask, and whether each has come back. */
  const bounced = new Map<string, boolean>();
  xmpp.onMessage(({ type, id }) => {
    if (type === 'error' && id !== undefined && bounced.has(id)) bounced.set(id, true);
  });
  const ping = (jid: FullJid) => xmpp.request(jid, 'get', xml('ping', { xmlns: 'urn:xmpp:ping' }), timeoutMs);

  /**
   * A client without XEP-0199 answers a ping as the server does for one that is gone. No client answers a message, but
   * the server returns one of type groupchat (RFC 6121 §8.5.3.2.2), and before it answers a later ping (RFC 6120 §10.1).
   */
  async function comesBack(jid: FullJid): Promise<boolean> {
    const id = randomUUID();
    bounced.set(id, false);
    xmpp.send(serialize(xml('message', { from: xmpp.domain, to: jid, type: 'groupchat', id })));
    await ping(jid).catch(() => undefined);
    const back = bounced.get(id) === true;
    bounced.delete(id);
    return back;
  }

  async function verify(jid: FullJid): Promise<void> {
    if (asking.has(jid) || asking.size >= MAX_PINGS_UNDER_WAY || xmpp.state.status !== 'online') return;
    asking.add(jid);
    const opened = sessions.get(jid);
    try {
      await ping(jid);
    } catch (error) {
      if (!(error instanceof StanzaError) || isOurs(error) || !gone.has(error.condition)) return;
      if (error.condition === 'service-unavailable' && !(await comesBack(jid))) return;
      // A session that was opened anew while the ping was under way is not the one that is gone.
      if (sessions.get(jid) !== opened) return;
      if (sessions.close(jid)) log.info({ jid }, 'session ended: the server knows it no more');
    } finally {
      asking.delete(jid);
    }
  }

  function tick(): void {
    const share = Math.ceil((sessions.size * TICK_MS) / intervalMs);
    for (let asked = 0; asked < share; asked += 1) {
      round ??= sessions.all();
      const next = round.next();
      if (next.done) {
        round = undefined;
        return;
      }
      const { jid, since } = next.value;
      if (since >= upSince || now() >= upSince + RETURN_MS) void verify(jid);
    }
  }

  return {
    start() {
      timer ??= setInterval(tick, TICK_MS).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
    verify,
  };
}
