/** Keeps from a library what it would choke on: its socket shows it only what a gate lets through. */

import type { Socket } from 'node:net';

/** Takes bytes as they arrive; returns those of the messages that are complete. Throws where they can be none, or are too many. */
export type Gate = (chunk: Buffer) => Buffer;

/** Everything that arrives on the socket goes through the gate before anybody sees it. `onRefused`: what the gate threw. */
export function gated<S extends Socket>(socket: S, gate: Gate, onRefused: (error: Error) => void): S {
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown) => {
    if (!Buffer.isBuffer(chunk)) return push(chunk);
    try {
      const whole = gate(chunk);
      return whole.length === 0 || push(whole);
    } catch (error) {
      onRefused(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  };
  return socket;
}
