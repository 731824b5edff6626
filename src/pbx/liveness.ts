/** What {@link watchLiveness} watches. */
export interface Watched {
  /** Bytes received so far. */
  received(): number;
  /** Asks the peer for a sign of life; must not throw. */
  ping(): void;
  readonly closed: Promise<string>;
  close(reason: string): void;
}

/**
 * Pings every `intervalMs` and closes the connection when a whole interval after a ping brought no byte: a peer that
 * vanished without a word would otherwise look quiet for hours. Ends with the connection.
 */
export function watchLiveness(connection: Watched, intervalMs: number): void {
  let seen = -1;
  const timer = setInterval(() => {
    const now = connection.received();
    if (now === seen) {
      connection.close(`Asterisk was silent for ${intervalMs / 1000} s after a ping`);
      return;
    }
    seen = now;
    connection.ping();
  }, intervalMs);
  void connection.closed.then(() => clearInterval(timer));
}
