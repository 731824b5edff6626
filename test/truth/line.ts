/** The line to the manager interface: can be cut and mended, and records what went over it, so that a failure can be replayed. */

import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

/** A relay in front of AMI. */
export interface Line {
  readonly host: string;
  readonly port: number;
  /** Ends every connection, and those that come before {@link mend} at once. */
  cut(): void;
  mend(): void;
  /** Bytes that the account's connections have received. */
  received(username: string): number;
  /** Where {@link record} begins to write: what came before is forgotten. Between connections only; a recording begins with a login. */
  forget(): void;
  /** Writes what the account's newest connection received: `PATH.ami`, and `PATH.json` beside it. */
  record(username: string, path: string): Promise<void>;
  close(): Promise<void>;
}

interface Passage {
  username: string;
  readonly started: number;
  readonly pieces: Buffer[];
  readonly chunks: [seconds: number, offset: number, length: number][];
  bytes: number;
}

/** Opens a line to AMI at `port` of `host`. */
export async function openLine(host: string, port: number): Promise<Line> {
  const passages: Passage[] = [];
  const sockets = new Set<Socket>();
  let broken = false;
  const server = createServer((near) => {
    if (broken) return near.destroy();
    const far = connect(port, host);
    const started = Date.now();
    const passage: Passage = { username: '', started, pieces: [], chunks: [], bytes: 0 };
    passages.push(passage);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.on('data', (bytes: Buffer) => {
      if (passage.username === '') {
        passage.username = /^Username: (\S+)/m.exec(bytes.toString('latin1'))?.[1] ?? '';
      }
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      passage.pieces.push(bytes);
      passage.chunks.push([(Date.now() - started) / 1000, passage.bytes, bytes.length]);
      passage.bytes += bytes.length;
      near.write(bytes);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const cut = () => {
    broken = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    host,
    port: address.port,
    cut,
    mend() {
      broken = false;
    },
    received: (username) =>
      passages.filter((each) => each.username === username).reduce((sum, { bytes }) => sum + bytes, 0),
    forget() {
      passages.splice(0);
    },
    async record(username, path) {
      const passage = passages.findLast((each) => each.username === username);
      if (passage === undefined) throw new Error(`${username} has not been connected`);
      const { started, pieces, chunks, bytes } = passage;
      await writeFile(`${path}.ami`, Buffer.concat(pieces));
      await writeFile(`${path}.json`, JSON.stringify({ started: started / 1000, bytes, chunks }));
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
