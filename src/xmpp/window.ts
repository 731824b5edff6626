/**
 * How much may be on its way to the server. What the kernel has taken for a slow server is out of our hands: megabytes, seconds in which
 * no answer can overtake it, and in which no later state can replace an earlier one. So no more is on its way than the server takes in a moment.
 */

import { type Bounded, createBound } from '../bounds.ts';

/** What {@link createWindow} needs. */
export interface WindowOptions {
  /** Bytes that may be on their way to a slow server; to one that is quick, up to {@link widest} times as many. */
  readonly bytes: number;
  /** Asks the server, behind everything that was written before, for a sign that it has got so far. Settles with it, or without. */
  ask(): Promise<unknown>;
  /** Called when more may be written again. */
  onOpen(): void;
  /** Milliseconds that only go forward. */
  readonly monotonic: () => number;
}

/** The window of one stream after the other. */
export interface Window extends Bounded {
  /** Whether more may be written. */
  readonly isOpen: boolean;
  /** Bytes that the server was heard to have, of all streams together. */
  readonly confirmed: number;
  /** Notes bytes that were written. */
  written(bytes: number): void;
  /** There is another stream, with nothing on its way. */
  reset(): void;
}

/** How many times as wide as at first the window becomes: questions cost something where a server takes a hundred megabytes a second. */
export const widest = 8;
/** The server is asked this often in a window, so that it hardly ever stands still. */
const asksPerWindow = 2;
/** An answer that comes within so many milliseconds doubles the window; one that takes longer than the other halves it. */
const [quickMs, slowMs] = [50, 150];

/** Makes a window. A question that fails opens it as an answer does: a server that does not answer is seen by other means. */
export function createWindow({ bytes, ask, onOpen, monotonic }: WindowOptions): Window {
  let width = bytes;
  let written = 0;
  let asked = 0;
  let confirmed = 0;
  let stream = 0;
  const isOpen = () => written - confirmed < width;
  const bound = createBound('xmpp_window_bytes', widest * bytes, () => written - confirmed);

  function confirm(upTo: number, ms: number): void {
    const wasOpen = isOpen();
    confirmed = Math.max(confirmed, upTo);
    if (ms < quickMs) width = Math.min(2 * width, widest * bytes);
    else if (ms > slowMs) width = Math.max(width / 2, bytes);
    if (!wasOpen && isOpen()) onOpen();
  }

  return {
    bounds: [bound],
    get isOpen() {
      return isOpen();
    },
    get confirmed() {
      return confirmed;
    },
    written(count) {
      const wasOpen = isOpen();
      written += count;
      if (wasOpen && !isOpen()) bound.exceed();
      if (written - asked < width / asksPerWindow) return;
      asked = written;
      const [upTo, at, asking] = [written, monotonic(), stream];
      const settled = () => {
        if (asking === stream) confirm(upTo, monotonic() - at);
      };
      ask().then(settled, settled);
    },
    reset() {
      stream += 1;
      width = bytes;
      confirmed = written;
      asked = written;
    },
  };
}
