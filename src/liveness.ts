/**
 * Finds the sessions that ended. Servers tell a component of a client's end only where presence flows between the two, and
 * even then the one that left may have a successor already; so presence makes a suspect, and an answer makes it certain. Whoever is under no
 * suspicion is asked now and then, spread evenly. Nobody is ever asked faster than the server can bear.
 */

import type { Logger } from 'pino';
import { type Bounded, createBound } from './bounds.ts';
import { type FullJid, fullJid } from './protocol/jid.ts';
import type { Session, Sessions } from './sessions.ts';
import { createAsking } from './xmpp/alive.ts';
import type { Stanza, Xmpp } from './xmpp/xmpp.ts';

/** What watching needs. */
export interface LivenessOptions {
  readonly xmpp: Xmpp;
  readonly sessions: Sessions;
  readonly log: Logger;
  /** Each session is asked about once in this time, milliseconds. */
  readonly intervalMs: number;
  /** Where there are few, one is asked about each second, but each at the most once in this time, milliseconds. */
  readonly leastMs: number;
  /** How long to wait for an answer, milliseconds. */
  readonly timeoutMs: number;
  /** Sessions asked about per second, at the most. */
  readonly perSecond: number;
  /**
   * How long clients have to come back after the stream was lost, milliseconds: a server that was restarted lost them, too, and
   * who comes back with the same resource keeps the session.
   */
  readonly returnMs: number;
  /** The clock that sessions are dated with, epoch milliseconds. */
  readonly now: () => number;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}

/** Watches over sessions. */
export interface Liveness extends Bounded {
  start(): void;
  stop(): void;
  /** There is reason to believe that this session ended: asks soon, and again in the next seconds until it is certain. */
  suspect(jid: FullJid): void;
  /** Any session may have ended unheard, as while we were away: asks about all of them, as fast as is allowed. */
  suspectAll(): void;
}

const TICK_MS = 100;
// Fewer than the XMPP side lets wait for answers, so that others can ask, too.
const MAX_UNDER_WAY = 5000;
/**
 * When a suspect is asked, counted from the time before. A client that says it is unavailable and closes its stream a moment
 * later may get the first question and not answer any more: nobody does then.
 */
const AGAIN_MS = [0, 1000, 4000, 15_000] as const;
const SUSPECT_TIMEOUT_MS = 3000;

/** Makes the watch; it does nothing before `start`. */
export function createLiveness(options: LivenessOptions): Liveness {
  const { xmpp, sessions, log, intervalMs, timeoutMs, perSecond, returnMs } = options;
  const { leastMs, now, monotonic } = options;
  const asking = createAsking(xmpp);
  const underWay = new Set<FullJid>();
  const bound = createBound('sessions_asked_about', MAX_UNDER_WAY, () => underWay.size);
  /** Suspects by how often they were asked, each with the time that they are due; in the order of these times. */
  const suspects: readonly Map<FullJid, number>[] = AGAIN_MS.map(() => new Map());
  let timer: NodeJS.Timeout | undefined;
  let round: Iterator<Session> | undefined;
  let hurry = false;
  let ended = 0;
  /** Until then sessions from before `upSince` are left alone. */
  let quietUntil = Number.NEGATIVE_INFINITY;
  let upSince = 0;
  /** Questions that the even spread owes, and that the limit allows. */
  let owed = 0;
  let allowed = 0;

  async function verify(jid: FullJid, waitMs: number): Promise<void> {
    const session = sessions.get(jid);
    if (session === undefined || underWay.has(jid)) return;
    underWay.add(jid);
    try {
      const finding = await asking.ask(session, waitMs);
      // A session that was opened anew while the question was under way is not the one that is gone.
      if (finding !== 'gone' || sessions.get(jid) !== session || !sessions.close(jid)) return;
      ended += 1;
      log.debug({ jid }, 'session ended: the server knows it no more');
    } catch (error) {
      log.error({ err: error, jid }, 'asking about a session failed');
    } finally {
      underWay.delete(jid);
    }
  }

  /** Asks about the suspects that are due. Returns how many questions are left of `budget`. */
  function askSuspects(budget: number): number {
    const now = monotonic();
    let left = budget;
    for (const [times, waiting] of suspects.entries()) {
      const next = suspects[times + 1];
      for (const [jid, due] of waiting) {
        if (left <= 0 || due > now) break;
        waiting.delete(jid);
        if (!sessions.get(jid)) continue;
        next?.set(jid, now + (AGAIN_MS[times + 1] ?? 0));
        left -= 1;
        void verify(jid, SUSPECT_TIMEOUT_MS);
      }
    }
    return left;
  }

  function askInTurn(count: number, quiet: boolean): number {
    for (let asked = 0; asked < count; asked += 1) {
      round ??= sessions.all();
      const next = round.next();
      if (next.done) {
        round = undefined;
        if (hurry && !quiet)
          log.info({ open: sessions.size, ended }, 'every session was asked whether it is still there');
        hurry &&= quiet;
        return asked;
      }
      const { jid, since } = next.value;
      if (!quiet || since >= upSince) void verify(jid, timeoutMs);
    }
    return count;
  }

  /** Questions per millisecond that the even spread asks for. */
  function shareOf(size: number): number {
    return Math.max(size / intervalMs, Math.min(1 / 1000, size / leastMs));
  }

  function tick(): void {
    if (xmpp.state.status !== 'online') return;
    const most = (perSecond * TICK_MS) / 1000;
    // What a fraction of a question leaves over counts for the next time; what is not used does not pile up.
    allowed = Math.min(allowed + most, Math.max(1, most));
    owed = Math.min(owed + TICK_MS * shareOf(sessions.size), Math.max(1, most));
    const room = Math.min(Math.floor(allowed), MAX_UNDER_WAY - underWay.size);
    if (underWay.size >= MAX_UNDER_WAY) bound.exceed();
    const left = askSuspects(room);
    const quiet = monotonic() < quietUntil;
    const turn = hurry && !quiet ? left : Math.min(left, Math.floor(owed));
    const asked = askInTurn(Math.max(0, turn), quiet);
    allowed -= Math.max(0, room - left) + asked;
    owed = Math.max(0, owed - asked);
  }

  function suspect(jid: FullJid): void {
    if (sessions.get(jid) === undefined) return;
    for (const waiting of suspects) waiting.delete(jid);
    suspects[0]?.set(jid, monotonic());
  }

  function suspectAll(): void {
    if (sessions.size === 0) return;
    round = undefined;
    hurry = true;
    ended = 0;
  }

  function onPresence({ type, from }: Stanza): void {
    const jid = type === 'unavailable' ? fullJid(from) : undefined;
    // COMPAT: ejabberd 23 announces a replaced resource's successor before the end of the one replaced, so this proves nothing.
    if (jid !== undefined) suspect(jid);
  }

  function onMessage({ type, from }: Stanza): void {
    const jid = type === 'error' ? fullJid(from) : undefined;
    // COMPAT: Prosody bounces events that waited for a client whose time to resume ran out (XEP-0198).
    if (jid !== undefined && !asking.isAsked(jid)) suspect(jid);
  }

  xmpp.onPresence(onPresence);
  xmpp.onMessage(onMessage);
  xmpp.onState(({ status }) => {
    if (status !== 'online') return;
    quietUntil = monotonic() + returnMs;
    upSince = now();
    // A server that shuts down says of everybody that they left.
    for (const waiting of suspects) waiting.clear();
    suspectAll();
  });

  return {
    bounds: [bound],
    start() {
      timer ??= setInterval(tick, TICK_MS).unref();
    },
    stop() {
      clearInterval(timer);
      timer = undefined;
    },
    suspect,
    suspectAll,
  };
}
