/** Which messages belong to one conversation: those with one peer between which no hour passes. No I/O. */

/** From this silence on a conversation is over, milliseconds. */
const silenceMs = 3600_000;

/**
 * When the conversation of each time began. `times` are those of all messages with the peer, oldest first; a time that is not among them
 * is a conversation of its own.
 */
export function beginnings(times: readonly number[]): ReadonlyMap<number, number> {
  const begun = new Map<number, number>();
  let start = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    if (at - last >= silenceMs) start = at;
    begun.set(at, start);
    last = at;
  }
  return begun;
}
