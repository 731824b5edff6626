/** Whether the stream is alive in both directions: TCP alone takes a quarter of an hour to notice that it is not. */

import { StanzaError } from '../errors.ts';

/** What of a connection shows life. */
export interface Vitals {
  /** Grows with the stanzas that come in. */
  readonly received: number;
  /** Grows with what the kernel takes. */
  readonly accepted: number;
  /** What the kernel has not taken yet. */
  readonly writableLength: number;
  /** Grows with what the server has got, as it was heard to say. */
  readonly confirmed: number;
  /** So much is on its way that no more is written. */
  readonly isFull: boolean;
}

/** What {@link watchLiveness} needs. */
export interface LivenessOptions {
  /** Between the end of one check and the next, milliseconds. */
  readonly intervalMs: number;
  /** How long a ping may take, milliseconds. */
  readonly timeoutMs: number;
  readonly vitals: Vitals;
  /** Sends a ping through the server; rejects with {@link StanzaError} `remote-server-timeout` when it does not come back. */
  ping(timeoutMs: number): Promise<unknown>;
  /** Called once, with what is wrong. */
  onDead(reason: string): void;
}

/**
 * Checks now and then, until the returned function is called. A stream is dead when a ping does not come back and
 * either nothing else came in meanwhile, or the server takes nothing of what waits to be written: a busy server
 * that is late with the ping is alive.
 */
export function watchLiveness({ intervalMs, timeoutMs, vitals, ping, onDead }: LivenessOptions): () => void {
  let stopped = false;
  let timer = setTimeout(check, intervalMs);

  function check(): void {
    const { received, accepted, confirmed } = vitals;
    const next = () => {
      if (!stopped) timer = setTimeout(check, intervalMs);
    };
    ping(timeoutMs).then(next, (error: unknown) => {
      if (stopped) return;
      // An error that somebody sent is an answer, too; one of our own (no room for it) says nothing about the server.
      if (!(error instanceof StanzaError) || error.condition !== 'remote-server-timeout') return next();
      if (vitals.received === received)
        return dead(`the XMPP server is silent: no answer to a ping within ${timeoutMs} ms`);
      const isStuck = vitals.writableLength > 0 && vitals.accepted === accepted;
      // The kernel has room, which says nothing about the server.
      const isDeaf = vitals.isFull && vitals.confirmed === confirmed;
      if (isStuck || isDeaf) {
        return dead(`the XMPP server no longer reads: nothing taken within ${timeoutMs} ms`);
      }
      next();
    });
  }

  function dead(reason: string): void {
    stopped = true;
    onDead(reason);
  }

  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
