/** A TCP relay in front of a server, for everything that can happen to a line. */
import { connect, createServer, type Socket } from 'node:net';
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
  /** What was said to whoever had vanished, by either side: at most a mebibyte, as much as sockets would take. */
  readonly swallowed: string;
  /** The servers of this moment's connections are told nothing any more until {@link Relay.release}, and lose nothing of it. */
  hold(): void;
  release(): void;
  /** So many bytes a second go to the server, on all connections that come from now on. */
  slow(bytesPerSecond: number): void;
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
}

/** How often a slow line moves, milliseconds. */
const tickMs = 20;
const mostSwallowed = 1 << 20;

/** Opens a relay in front of a port on loopback. */
export async function openRelay(target: number): Promise<Relay> {
  const passages = new Set<Passage>();
  let [broken, rate, port] = [false, Number.POSITIVE_INFINITY, target];
  let change = (text: string) => text;
  let swallowed = '';
  const swallow = (bytes: Buffer, from: Socket) => {
    swallowed += bytes.toString('latin1');
    if (swallowed.length > mostSwallowed) from.pause();
  };

  const server = createServer((near) => {
    if (broken) return near.destroy();
    const passage: Passage = { near, far: connect(port, loopback), frozen: false, held: false };
    const { far } = passage;
    passages.add(passage);
    const [allowed, alter] = [rate, change];
    pass(passage, far, near, swallow);
    if (Number.isFinite(allowed)) trickle(passage, allowed);
    else pass(passage, near, far, swallow, alter);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      // Whoever has vanished does not say so.
      one.on('close', () => {
        if (passage.frozen && one === far) return;
        passages.delete(passage);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, loopback, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');

  const endAll = () => {
    for (const { near, far } of passages) {
      near.destroy();
      far.destroy();
    }
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
      swallowed = '';
      for (const passage of passages) {
        passage.frozen = true;
        passage.near.resume();
        passage.far.resume();
      }
    },
    get swallowed() {
      return swallowed;
    },
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
      for (const { near, far, frozen } of passages) {
        if (!frozen) continue;
        near.destroy();
        far.destroy();
      }
    },
    async stop() {
      endAll();
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
  from.on('data', (bytes: Buffer) => {
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
function trickle(passage: Passage, bytesPerSecond: number): void {
  const { near, far } = passage;
  const portion = Math.max(1, Math.round((bytesPerSecond * tickMs) / 1000));
  const timer = setInterval(() => {
    if (passage.frozen) return;
    const bytes: Buffer | null = near.read(Math.min(portion, near.readableLength || portion));
    if (bytes !== null) far.write(bytes);
  }, tickMs);
  near.on('close', () => clearInterval(timer));
}
