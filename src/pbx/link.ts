import { setTimeout as wait } from 'node:timers/promises';
import type { Backoff } from '../backoff.ts';
import { Refused } from './login.ts';

// A peer that takes us in only to throw us out again is no better than one that refuses the connection.
const steadyMs = 5000;

/** What a link keeps up: a connection that is ready for its work. */
export interface Connection {
  /** Resolves with the reason when it is gone. */
  readonly closed: Promise<string>;
  close(reason: string): void;
}

/** What {@link keepLinked} needs. */
export interface LinkOptions {
  /** Makes a connection; must give up by itself after a while or when aborted, and leave nothing open when it rejects. */
  open(signal: AbortSignal): Promise<Connection>;
  readonly backoff: Backoff;
  /** Wait after a refusal, milliseconds: only an operator can help, and Asterisk logs each attempt as a security event. */
  readonly refusedMs: number;
  /** `reason` is empty while the connection is up. Called on each change. */
  onChange(up: boolean, reason: string): void;
}

/** A connection that comes back. */
export interface Link {
  /** Ends it for good; resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** Connects for ever: with backoff, and slowly where Asterisk refused us. */
export function keepLinked({ open, backoff, refusedMs, onChange }: LinkOptions): Link {
  const stopped = new AbortController();
  let current: Connection | undefined;

  async function attempt(): Promise<number> {
    try {
      const connection = await open(stopped.signal);
      if (stopped.signal.aborted) {
        connection.close('stopped');
        return 0;
      }
      current = connection;
      onChange(true, '');
      const since = performance.now();
      const reason = await connection.closed;
      current = undefined;
      if (performance.now() - since >= steadyMs) backoff.reset();
      onChange(false, stopped.signal.aborted ? 'stopped' : reason);
      return backoff.next();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      onChange(false, stopped.signal.aborted ? 'stopped' : reason);
      return error instanceof Refused ? refusedMs : backoff.next();
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      const ms = await attempt();
      if (stopped.signal.aborted) return;
      await wait(ms, undefined, { signal: stopped.signal }).catch((error: unknown) => {
        if (!stopped.signal.aborted) throw error;
      });
    }
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      current?.close('stopped');
      await running;
    },
  };
}
