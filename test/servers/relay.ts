/** A TCP relay in front of a server, for everything that can happen to a line. Who says no more may still listen, as without it. */
import { connect, createServer, type Socket } from 'node:net';
import { type ConnectionLedger, createLineLedger, type LineLedger } from './ledger.ts';
import { loopback } from './ports.ts';

/** A line to a server: connect to it instead. */
export interface Relay {
  readonly host: string;
  readonly port: number;
  /** Connections that are there. */
  readonly size: number;
  /** Ends every connection, and those that come before {@link Relay.mend} at once. */
  cut(): void;
  /** The connections of this moment carry nothing any more, in neither direction, and do not end: the other side has vanished. */
  freeze(): void;
  /** What became of the server's requests; see {@link openRelay}. */
  readonly ledger: LineLedger;
  /** The servers of this moment's connections are told nothing any more until {@link Relay.release}, and lose nothing of it. */
  hold(): void;
  release(): void;
  /** So many bytes a second go to the server, on all connections that come from now on. */
  slow(bytesPerSecond: number): void;
  /** The connections that are slow carry what comes as fast as others, and lose nothing of what they have. */
  hurry(): void;
  /** What the client says passes through this, on connections that come from now on. */
  rewrite(change: (text: string) => string): void;
  /** Says something to every client in the server's name, as fast as each takes it. Ends early where a client hangs up. */
  say(pieces: Iterable<Buffer>): Promise<void>;
  /** Ends every connection, and leads the next ones to another server. */
  lead(port: number): void;
  /** Everything is as in the beginning, for connections that come from now on; those that are frozen end. */
  mend(): void;
  /** Ends every connection, and takes no more. */
  stop(): Promise<void>;
}

interface Passage {
  readonly near: Socket;
  readonly far: Socket;
  frozen: boolean;
  /** Nothing goes from near to far. */
  held: boolean;
  /** Bytes a second from near to far. */
  rate: number;
  readonly account: ConnectionLedger;
}

/** How often a slow line moves, milliseconds. */
const tickMs = 20;
const mostSwallowed = 1 << 20;

/**
 * Opens a relay in front of a port on loopback. `ids`: what the ids of requests look like that accounts are kept of, as a regular expression; by
 * default of none.
 */
export async function openRelay(target: number, ids = '(?!)'): Promise<Relay> {
  const passages = new Set<Passage>();
  let [broken, rate, port] = [false, Number.POSITIVE_INFINITY, target];
  let change = (text: string) => text;
  let swallowed = 0;
  const swallow = (bytes: Buffer, from: Socket) => {
    swallowed += bytes.length;
    if (swallowed > mostSwallowed) from.pause();
  };
  const ledger = createLineLedger(ids);
  /** Servers whose client is gone: what they say before they notice is read, so that it is known. */
  const leaving = new Set<Socket>();

  /** The line is cut: the server has what was said to it, and is told that there is no more. */
  function leave({ near, far, account }: Passage): void {
    account.over();
    near.destroy();
    if (far.destroyed || leaving.has(far)) return;
    leaving.add(far);
    far.removeAllListeners('data').on('data', (bytes: Buffer) => account.asks(bytes));
    far.end();
    far.resume();
  }

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (broken) return near.destroy();
    const account = ledger.open();
    const passage: Passage = {
      near,
      far: connect({ port, host: loopback, allowHalfOpen: true }),
      frozen: false,
      held: false,
      rate,
      account,
    };
    const { far } = passage;
    passages.add(passage);
    pass(passage, far, near, swallow);
    if (Number.isFinite(rate)) trickle(passage);
    else pass(passage, near, far, swallow, change);
    near.on('error', () => {});
    near.on('end', () => {
      if (!passage.frozen) far.end();
    });
    near.on('close', () => {
      passages.delete(passage);
      account.over();
      // A line that was cut is read to its end.
      if (!leaving.has(far)) far.destroy();
    });
    // Whoever has vanished does not say so.
    const isEnded = () => {
      if (!passage.frozen) account.over(!near.readableEnded);
      return !passage.frozen;
    };
    far.on('error', () => {});
    far.on('end', () => {
      if (isEnded()) near.end();
    });
    far.on('close', () => {
      leaving.delete(far);
      if (isEnded()) near.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, loopback, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  const endAll = () => {
    for (const passage of passages) leave(passage);
    passages.clear();
  };
  return {
    host: loopback,
    port: address.port,
    get size() {
      return passages.size;
    },
    cut() {
      broken = true;
      endAll();
    },
    freeze() {
      swallowed = 0;
      for (const passage of passages) {
        passage.frozen = true;
        passage.account.over();
        passage.near.resume();
        passage.far.resume();
      }
    },
    ledger,
    hold() {
      for (const passage of passages) {
        passage.held = true;
        passage.near.pause();
      }
    },
    release() {
      for (const passage of passages) {
        passage.held = false;
        passage.near.resume();
      }
    },
    slow(bytesPerSecond) {
      rate = bytesPerSecond;
    },
    hurry() {
      for (const passage of passages) passage.rate = Number.POSITIVE_INFINITY;
    },
    rewrite(how) {
      change = how;
    },
    async say(pieces) {
      for (const piece of pieces) {
        for (const { near } of passages) {
          if (near.destroyed || near.write(piece)) continue;
          await new Promise<void>((resolve) => {
            const done = () => {
              near.off('drain', done).off('close', done);
              resolve();
            };
            near.on('drain', done).on('close', done);
          });
        }
      }
    },
    lead(to) {
      port = to;
      endAll();
    },
    mend() {
      [broken, rate, port] = [false, Number.POSITIVE_INFINITY, target];
      change = (text) => text;
      for (const passage of passages) if (passage.frozen) leave(passage);
    },
    async stop() {
      endAll();
      for (const far of leaving) far.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(
  passage: Passage,
  from: Socket,
  to: Socket,
  swallow: (bytes: Buffer, from: Socket) => void,
  change?: (text: string) => string,
): void {
  const { account } = passage;
  from.on('data', (bytes: Buffer) => {
    if (from === passage.far) account.asks(bytes);
    else account.answers(bytes, !passage.frozen && !to.destroyed);
    if (passage.frozen) return swallow(bytes, from);
    const sent = change === undefined ? bytes : Buffer.from(change(bytes.toString('latin1')), 'latin1');
    if (to.write(sent)) return;
    from.pause();
    to.once('drain', () => {
      if (!passage.frozen && !(passage.held && from === passage.near)) from.resume();
    });
  });
}

/** Reads no more than the line carries, so that the sender feels it. */
function trickle(passage: Passage): void {
  const { near, far, account } = passage;
  const timer = setInterval(() => {
    if (passage.frozen) return;
    const portion = Math.max(1, Math.round((Math.min(passage.rate, mostSwallowed) * tickMs) / 1000));
    const bytes: Buffer | null = near.read(Math.min(portion, near.readableLength || portion));
    if (bytes === null) return;
    account.answers(bytes, !far.destroyed);
    far.write(bytes);
  }, tickMs);
  near.on('close', () => clearInterval(timer));
}
