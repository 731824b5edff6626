/** What waits to be written: bounded, in lanes by urgency, joined into few large writes. */

import type { Window } from './window.ts';

/** Urgency of a stanza: answers overtake requests of ours, and both overtake events; `bulk` are events for those who hear of everybody. */
export type Lane = 'answer' | 'request' | 'event' | 'bulk';

/** Where the outbox writes to. */
export interface Sink {
  /** False: write no more until {@link Outbox.drained} is called. The bytes are the sink's from then on. */
  write(chunk: Uint8Array): boolean;
}

/** Numbers for metrics. */
export interface OutboxCounters {
  /** Stanzas handed to the socket. */
  readonly sent: number;
  /** Stanzas not taken: away, no room, or too large. */
  readonly refused: number;
  /** Stanzas that were waiting when the stream ended. */
  readonly dropped: number;
  /** Bytes that wait here. */
  readonly buffered: number;
}

/** What {@link createOutbox} needs. Bytes are UTF-8. */
export interface OutboxOptions {
  /** Room for events, what waits in the socket included. */
  readonly eventBytes: number;
  /** Room for answers, and as much again for requests, whatever the events take. */
  readonly answerBytes: number;
  /** Waiting bytes of events, those in the socket included, from which on there is no room for more. */
  readonly eventMarkBytes: number;
  /** Size of one stanza: what is larger is refused, since it would cost the stream. */
  readonly stanzaBytes: number;
  /** Bytes that the socket holds back at present. */
  unwritten(): number;
  /** How much of the events may be on its way; what is more waits here. Default: whatever the socket takes. */
  readonly window?: Pick<Window, 'isOpen' | 'written'>;
  /** When what is told now was learned, `performance.now()` milliseconds. Default: now. */
  learned?(): number | undefined;
  /** Called with each write that holds events: how old the oldest was when the socket got it, milliseconds. */
  onWritten?(ms: number): void;
  /** Called when there is room for events after {@link Outbox.hasRoom} was false. */
  onRoom?(): void;
}

/** The stanzas on their way out. */
export interface Outbox {
  readonly counters: OutboxCounters;
  /** The stream is up, and fewer events wait than the mark allows. */
  readonly hasRoom: boolean;
  /** Takes one serialised stanza, bytes being UTF-8 and copied; false where there is no room, or no stream (answers then wait for the next one). */
  push(stanza: string | Uint8Array, lane: Lane): boolean;
  /** The stream is up: begin to write. */
  attach(sink: Sink): void;
  /** Resolves when nothing waits here any more, when the stream ends, and after `ms` whatever is. */
  flushed(ms: number): Promise<void>;
  /** The sink takes more. */
  drained(): void;
  /** The window is open again. */
  opened(): void;
  /** The stream is gone: answers stay for the next one, the rest is dropped. */
  detach(): void;
}

/** Size of one write: large enough to cost little per stanza, small enough for an answer to get past. */
const chunkBytes = 65_536;

/** A chunk has this room at least, and grows: most turns have little to say. */
const leastBytes = 4096;

interface Chunk {
  /** Room for the stanzas, of which the first {@link bytes} are filled. */
  buffer: Buffer;
  bytes: number;
  stanzas: number;
  /** Bytes of them that are events. */
  events: number;
  /** When its first event was learned; undefined for one without events. */
  since: number | undefined;
}

interface Queue {
  readonly chunks: Chunk[];
  bytes: number;
  /** Room that the last chunk came to have: the next one will need as much. */
  usual: number;
}

/**
 * Makes an outbox. Writes happen once per turn of the event loop (`setImmediate`), whatever the number of stanzas;
 * only one chunk at a time is in the socket, so that an answer never waits behind more than that.
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const { eventBytes, answerBytes, stanzaBytes, unwritten, window, learned, onWritten } = options;
  const lanes: Readonly<Record<Lane, Queue>> = {
    answer: queue(),
    request: queue(),
    event: queue(),
    bulk: queue(),
  };
  const urgent = [lanes.answer, lanes.request];
  const order = [...urgent, lanes.event, lanes.bulk];
  const counters = { sent: 0, refused: 0, dropped: 0 };
  let sink: Sink | undefined;
  let blocked = false;
  let scheduled = false;
  let crowded = false;
  let onFlushed: (() => void) | undefined;

  const isEmpty = () => order.every(({ chunks }) => chunks.length === 0);
  const waiting = () => lanes.event.bytes + lanes.bulk.bytes + unwritten();
  const isRoomy = () => sink !== undefined && waiting() < options.eventMarkBytes;

  function tellRoom(): void {
    if (!crowded || !isRoomy()) return;
    crowded = false;
    options.onRoom?.();
  }

  function flush(): void {
    while (sink !== undefined && !blocked) {
      const chunk = nextChunk(window?.isOpen === false ? urgent : order);
      if (chunk === undefined) {
        if (isEmpty()) onFlushed?.();
        break;
      }
      counters.sent += chunk.stanzas;
      blocked = !sink.write(chunk.buffer.subarray(0, chunk.bytes));
      if (chunk.since === undefined) continue;
      onWritten?.(performance.now() - chunk.since);
      window?.written(chunk.events);
    }
    tellRoom();
  }

  function schedule(): void {
    if (scheduled || blocked || sink === undefined) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  }

  // The clock is asked once a chunk, not once a stanza.
  const age = () => learned?.() ?? performance.now();

  function hasRoom(lane: Lane, bytes: number): boolean {
    if (lane === 'answer') return lanes.answer.bytes + bytes <= answerBytes;
    if (sink === undefined) return false;
    if (lane === 'request') return lanes.request.bytes + bytes <= answerBytes;
    return waiting() + bytes <= eventBytes;
  }

  return {
    counters: {
      get sent() {
        return counters.sent;
      },
      get refused() {
        return counters.refused;
      },
      get dropped() {
        return counters.dropped;
      },
      get buffered() {
        return order.reduce((sum, { bytes }) => sum + bytes, 0);
      },
    },
    get hasRoom() {
      const roomy = isRoomy();
      if (!roomy) crowded = true;
      return roomy;
    },
    push(stanza, lane) {
      const bytes = typeof stanza === 'string' ? Buffer.byteLength(stanza) : stanza.length;
      if (bytes > stanzaBytes || !hasRoom(lane, bytes)) {
        counters.refused += 1;
        return false;
      }
      append(lanes[lane], stanza, bytes, lane === 'event' || lane === 'bulk' ? age : undefined);
      schedule();
      return true;
    },
    attach(next) {
      sink = next;
      blocked = false;
      schedule();
    },
    flushed(ms) {
      if (sink === undefined || isEmpty()) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        onFlushed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    drained() {
      blocked = false;
      flush();
    },
    opened: schedule,
    detach() {
      sink = undefined;
      onFlushed?.();
      for (const lane of [lanes.request, lanes.event, lanes.bulk]) {
        for (const { stanzas } of lane.chunks) counters.dropped += stanzas;
        lane.chunks.length = 0;
        lane.bytes = 0;
      }
    },
  };
}

function queue(): Queue {
  return { chunks: [], bytes: 0, usual: leastBytes };
}

function append(lane: Queue, stanza: string | Uint8Array, bytes: number, since?: () => number): void {
  lane.bytes += bytes;
  let last = lane.chunks.at(-1);
  if (last === undefined || last.bytes + bytes > chunkBytes) {
    const buffer = Buffer.allocUnsafe(Math.max(lane.usual, bytes));
    last = { buffer, bytes: 0, stanzas: 0, events: 0, since: since?.() };
    lane.chunks.push(last);
  }
  reserve(last, bytes);
  lane.usual = Math.min(last.buffer.length, chunkBytes);
  if (typeof stanza === 'string') last.buffer.write(stanza, last.bytes, 'utf8');
  else last.buffer.set(stanza, last.bytes);
  last.bytes += bytes;
  last.stanzas += 1;
  if (since !== undefined) last.events += bytes;
}

/** Makes room for so many bytes more. */
function reserve(chunk: Chunk, bytes: number): void {
  const needed = chunk.bytes + bytes;
  if (needed <= chunk.buffer.length) return;
  const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * chunk.buffer.length, chunkBytes)));
  larger.set(chunk.buffer.subarray(0, chunk.bytes));
  chunk.buffer = larger;
}

/** The first chunk of the most urgent lane, filled up from the others so that a short answer is no write of its own. */
function nextChunk(order: readonly Queue[]): Chunk | undefined {
  let joined: Chunk | undefined;
  for (const lane of order) {
    for (let first = lane.chunks[0]; first !== undefined; first = lane.chunks[0]) {
      if (joined !== undefined && joined.bytes + first.bytes > chunkBytes) return joined;
      lane.chunks.shift();
      lane.bytes -= first.bytes;
      if (joined === undefined) joined = first;
      else {
        reserve(joined, first.bytes);
        joined.buffer.set(first.buffer.subarray(0, first.bytes), joined.bytes);
        joined.bytes += first.bytes;
        joined.stanzas += first.stanzas;
        joined.events += first.events;
        joined.since ??= first.since;
      }
    }
  }
  return joined;
}
