/**
 * Finds the sessions that ended without a word. Servers tell a component of a client's end only where presence flows between
 * the two, so each session is pinged now and then (XEP-0199), spread evenly over the interval.
 */

import type { Logger } from 'pino';
import { StanzaError } from './errors.ts';
import type { FullJid } from './protocol/jid.ts';
import { xml } from './protocol/xml.ts';
import type { Sessions } from './sessions.ts';
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

// What servers answer for a full JID that is no more: RFC 6121 §8.5.3.2.3, and what s2s says of a lost remote.
const gone = new Set(['service-unavailable', 'item-not-found', 'recipient-unavailable', 'gone']);

/** The stream to the server was lost, or is full: that says nothing about a client. See `Xmpp.request`. */
const isOurs = ({ condition, type }: StanzaError) => condition === 'service-unavailable' && type === 'wait';

/** Makes the watch; it does nothing before `start`. */
export function createLiveness({ xmpp, sessions, log, intervalMs, timeoutMs }: LivenessOptions): Liveness {
  let timer: NodeJS.Timeout | undefined;
  let round: Iterator<{ readonly jid: FullJid }> | undefined;
  const asking = new Set<FullJid>();

  async function verify(jid: FullJid): Promise<void> {
    if (asking.has(jid) || asking.size >= MAX_PINGS_UNDER_WAY || xmpp.state.status !== 'online') return;
    asking.add(jid);
    const opened = sessions.get(jid);
    try {
      await xmpp.request(jid, 'get', xml('ping', { xmlns: 'urn:xmpp:ping' }), timeoutMs);
    } catch (error) {
      if (!(error instanceof StanzaError) || isOurs(error)) return;
      // A session that was opened anew while the ping was under way is not the one that is gone.
      if (!gone.has(error.condition) || sessions.get(jid) !== opened) return;
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
      void verify(next.value.jid);
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
