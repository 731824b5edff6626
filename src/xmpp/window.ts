/**
 * How much may be on its way to the server. What the kernel has taken for a slow server is out of our hands: megabytes, seconds in which
 * no answer can overtake it, and in which no later state can replace an earlier one.
 */

import { type Bounded, createBound } from '../bounds.ts';

/** What {@link createWindow} needs. */
export interface WindowOptions {
  /** Bytes that may be on their way. */
  readonly bytes: number;
  /** Asks the server, behind everything that was written before, for a sign that it has got so far. Settles with it, or without. */
  ask(): Promise<unknown>;
  /** Called when more may be written again. */
  onOpen(): void;
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

/** The server is asked this often in a window, so that it hardly ever stands still. */
const asksPerWindow = 4;

/** Makes a window. A question that fails opens it as an answer does: a server that does not answer is seen by other means. */
export function createWindow({ bytes, ask, onOpen }: WindowOptions): Window {
  let written = 0;
  let asked = 0;
  let confirmed = 0;
  let stream = 0;
  const isOpen = () => written - confirmed < bytes;
  const bound = createBound('xmpp_window_bytes', bytes, () => written - confirmed);

  function confirm(upTo: number): void {
    const wasOpen = isOpen();
    confirmed = Math.max(confirmed, upTo);
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
      if (written - asked < bytes / asksPerWindow) return;
      asked = written;
      const upTo = written;
      const asking = stream;
      const settled = () => {
        if (asking === stream) confirm(upTo);
      };
      ask().then(settled, settled);
    },
    reset() {
      stream += 1;
      confirmed = written;
      asked = written;
    },
  };
}
