/** Free ports on loopback. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

/** Where all servers listen. */
export const loopback = '127.0.0.1';

const given = new Set<number>();

/**
 * A port that nobody uses, neither with TCP nor with UDP, and that this process did not get before.
 * It lies below the ports that the kernel gives to outgoing connections, so that none of them takes it before the server does.
 */
export async function freePort(host: string = loopback): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = randomInt(10_000, 30_000);
    if (given.has(port) || !(await isFree(port, host))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`No free port on ${host}`);
}

/** True if something accepts TCP connections there. */
export function accepts(port: number, host: string = loopback): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

async function isFree(port: number, host: string): Promise<boolean> {
  const tcp = new Promise<boolean>((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
  const udp = new Promise<boolean>((resolve) => {
    const socket = createSocket('udp4').once('error', () => resolve(false));
    socket.bind(port, host, () => socket.close(() => resolve(true)));
  });
  return (await tcp) && (await udp);
}
