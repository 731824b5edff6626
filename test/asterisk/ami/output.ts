import type { Socket } from 'node:net';
import type { FaultState } from './faults.ts';

/** Unsent bytes at which a client that does not read is dropped; Asterisk drops it after `writetimeout`. */
const backlog = 64 * 1024 * 1024;

/** The way out of a connection. */
export interface Output {
  send(data: string | Buffer): void;
  /** Sends what is waiting and closes. */
  end(): void;
}

/** Gathers what one step of the PBX sends into one write, and slows it down when that fault is on. */
export function createOutput(socket: Socket, faults: FaultState): Output {
  let pending: Buffer[] = [];
  let text = '';
  let scheduled = false;
  let ending = false;
  let timer: NodeJS.Timeout | undefined;
  socket.once('close', () => clearTimeout(timer));

  function flush(): void {
    scheduled = false;
    moveText();
    if (pending.length > 0 && waiting() > backlog) socket.destroy();
    if (socket.destroyed || timer !== undefined) return;
    if (faults.rate > 0) {
      trickle();
      return;
    }
    if (pending.length > 0) socket.write(Buffer.concat(pending));
    pending = [];
    if (ending) socket.end();
  }

  function trickle(): void {
    const tick = 50;
    timer = setTimeout(() => {
      timer = undefined;
      if (socket.destroyed) return;
      moveText();
      const all = Buffer.concat(pending);
      const part = faults.rate === 0 ? all.length : Math.max(1, Math.floor((faults.rate * tick) / 1000));
      if (all.length > 0) socket.write(all.subarray(0, part));
      pending = part < all.length ? [all.subarray(part)] : [];
      if (pending.length > 0) trickle();
      else if (ending) socket.end();
    }, tick);
    timer.unref();
  }

  function waiting(): number {
    return pending.reduce((sum, part) => sum + part.length, socket.writableLength);
  }

  function moveText(): void {
    if (text !== '') pending.push(Buffer.from(text));
    text = '';
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
  }

  return {
    send(data) {
      if (typeof data === 'string') {
        text += data;
      } else {
        moveText();
        pending.push(data);
      }
      schedule();
    },
    end() {
      ending = true;
      schedule();
    },
  };
}
