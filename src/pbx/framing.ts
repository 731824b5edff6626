import { LazyMessage } from './lazy.ts';
import * as lines from './lines.ts';
import type { WantedEvents } from './wanted.ts';

// Of this module: an import is read anew wherever it stands, and a loop over every byte pays for that.
const { carriageReturn, lineFeed } = lines;

const eventHeader = Buffer.from('Event:');
const responseHeader = Buffer.from('Response:');
const emptyLineEnd = Buffer.from('\r\n\r\n');
const bareBlankAfterLine = Buffer.from('\n\n');
const banner = Buffer.from('Asterisk Call Manager/');

/** What has passed through a framer since it was made. */
export interface FramingCounts {
  /** Bytes pushed. */
  bytes: number;
  /** Messages with an `Event` or `Response` header. */
  messages: number;
  /** Those of them that were dropped unread because nobody wants their event. */
  skipped: number;
  /** Pieces between blank lines without either header. */
  garbage: number;
  /** Messages that were longer than allowed, or held a line that was. */
  oversized: number;
}

/** Counts of a framer that has seen nothing. */
export function newFramingCounts(): FramingCounts {
  return { bytes: 0, messages: 0, skipped: 0, garbage: 0, oversized: 0 };
}

/** What {@link createFramer} needs. */
export interface FramerOptions {
  /** Events to hand on; every other event is dropped after its name was read. Responses are always handed on. */
  readonly wanted: WantedEvents;
  /** Called synchronously and in order; the message is valid during the call only. Must not throw. */
  onMessage(message: LazyMessage): void;
  /** The first line of the connection, `Asterisk Call Manager/…`, without its line end. */
  onBanner?(line: string): void;
  /** Longest message in bytes; a longer one is dropped whole. Default 65536: Asterisk's longest events stay under 10 KB. */
  readonly maxMessage?: number;
  /** Longest line in bytes; a message with a longer one is dropped whole. Default 16384. */
  readonly maxLine?: number;
  /** Where to count on from, so that counts outlive a connection. Default: from zero. */
  readonly counts?: FramingCounts;
}

/** Cuts a stream of bytes into AMI messages. */
export interface Framer {
  readonly counts: Readonly<FramingCounts>;
  /** Takes the next bytes. They are not kept: the caller may reuse the buffer. */
  push(chunk: Buffer): void;
}

/**
 * How a message ends, told by its first line. `event`: with CR LF CR LF, as manager.c ends events. `line`: with an empty line of
 * that kind whatever is before it (the `Message` of a Park response ends in a bare LF). `bare`: with an empty line of either kind,
 * where the first line had a bare LF.
 */
type Ending = 'event' | 'line' | 'bare';

/**
 * Makes a framer. A message ends at a blank line, whether lines end with CR LF or with LF alone (manager.c mixes them; TestEvents
 * end in an extra blank line). The same bytes give the same messages however they are cut into chunks. At most `maxMessage` bytes
 * are kept between chunks.
 *
 * Where a message does not begin with a known header, it is read from its first line that does: so the banner, and
 * garbage that ends with its line, cost nothing but themselves.
 */
export function createFramer(options: FramerOptions): Framer {
  const { wanted, onMessage, onBanner, maxMessage = 65_536, maxLine = 16_384 } = options;
  const counts = options.counts ?? newFramingCounts();
  const message = new LazyMessage();
  // Of the bytes being read; made where a message is handed on.
  let view: DataView | undefined;
  // The unfinished message between two chunks, up to the cap and the line end that may follow it.
  let kept = Buffer.allocUnsafe(4096);
  let length = 0;
  // Inside a message that is over the cap already: only its end is looked for.
  let discarding = false;
  // How the unfinished message will end; undefined while its first line is not there.
  let ending: Ending | undefined;
  // Of one that is discarded: it began as an event does.
  let isEvent = false;
  let greeted = false;

  function hand(event: string, bytes: Buffer, start: number, feed: number, end: number): void {
    view ??= lines.viewOf(bytes);
    onMessage(message.reset(event, bytes, view, start, feed, end));
  }

  /** What the line from after `Event:` to `stop` names, where that is wanted. */
  function eventName(bytes: Buffer, start: number, stop: number): string | undefined {
    let from = start;
    while (from < stop && bytes[from] === lines.space) from++;
    return wanted.match(bytes, from, bytes[stop - 1] === carriageReturn ? stop - 1 : stop);
  }

  /** One message from `start` to `end`, its blank line excluded; `feed` ends its first line. */
  function deliver(bytes: Buffer, start: number, feed: number, end: number): void {
    const size = end - start;
    if (size > maxMessage || (size > maxLine && longestLine(bytes, start, end) > maxLine)) {
      counts.oversized++;
      return;
    }
    for (
      let at = start, stop = feed;
      at < end;
      at = stop + 1, stop = lines.indexOfByte(bytes, lineFeed, at, end)
    ) {
      if (startsWith(bytes, at, eventHeader)) {
        counts.messages++;
        const name = eventName(bytes, at + eventHeader.length, stop);
        if (name === undefined) counts.skipped++;
        else hand(name, bytes, at, stop, end);
        return;
      }
      if (startsWith(bytes, at, responseHeader)) {
        counts.messages++;
        hand('', bytes, at, stop, end);
        return;
      }
    }
    counts.garbage++;
  }

  /**
   * Delivers every whole message and returns where the unfinished one begins. Nothing before `from` can end the first
   * one: that was looked at before.
   */
  function scan(bytes: Buffer, from: number): number {
    let start = 0;
    if (discarding) {
      ending ??= endingOf(bytes, 0, lines.indexOfByte(bytes, lineFeed, 0, bytes.length), isEvent);
      const end = ending === undefined ? -1 : blankLine(bytes, from, ending);
      if (end < 0) return 0;
      discarding = false;
      start = end;
    }
    for (let at = from; ; at = start) {
      start = skipBlank(bytes, start);
      const feed = lines.indexOfByte(bytes, lineFeed, start, bytes.length);
      ending = endingOf(bytes, start, feed, startsWith(bytes, start, eventHeader));
      if (ending === undefined) return start;
      const end = blankLine(bytes, Math.max(at, feed - 1), ending);
      if (end < 0) return start;
      deliver(bytes, start, feed, end);
      start = end;
    }
  }

  function keep(bytes: Buffer, start: number): void {
    // Three bytes tell whether a blank line goes on in the next chunk; of a dropped message nothing else matters.
    if (!discarding && bytes.length - start > maxMessage + 2) {
      discarding = true;
      isEvent = startsWith(bytes, start, eventHeader);
      counts.oversized++;
    }
    const begin = discarding ? Math.max(start, bytes.length - 3) : start;
    length = bytes.length - begin;
    // A message that grows piece by piece lies where it belongs already.
    if (begin === 0 && bytes.buffer === kept.buffer && bytes.byteOffset === kept.byteOffset) return;
    reserve(length, 0);
    bytes.copy(kept, 0, begin);
  }

  /** Makes room for `size` bytes, of which the first `used` stay. */
  function reserve(size: number, used: number): void {
    if (kept.length >= size) return;
    const grown = Buffer.allocUnsafe(Math.max(size, 2 * kept.length));
    kept.copy(grown, 0, 0, used);
    kept = grown;
  }

  /** The first line belongs to no message: manager.c sends it before the first one, without a blank line. */
  function greet(bytes: Buffer): void {
    const feed = bytes.indexOf(lineFeed);
    if (feed < 0) return;
    greeted = true;
    const stop = bytes[feed - 1] === carriageReturn ? feed - 1 : feed;
    if (startsWith(bytes, 0, banner)) onBanner?.(bytes.toString('latin1', 0, stop));
  }

  return {
    counts,
    push(chunk) {
      counts.bytes += chunk.length;
      const before = length;
      let bytes = chunk;
      if (before > 0) {
        reserve(before + chunk.length, before);
        chunk.copy(kept, before);
        bytes = kept.subarray(0, before + chunk.length);
      }
      view = undefined;
      if (!greeted) greet(bytes);
      keep(bytes, scan(bytes, Math.max(0, before - 3)));
    },
  };
}

/** Where the next blank line begins, from the line feed before it; -1 where there is none. */
function blankLine(bytes: Buffer, from: number, ending: Ending): number {
  if (ending === 'event') return emptyLineAfterLine(bytes, from);
  const end = emptyLine(bytes, from);
  if (ending === 'line') return end;
  const bare = bytes.indexOf(bareBlankAfterLine, from);
  return bare >= 0 && (end < 0 || bare < end) ? bare : end;
}

/**
 * Where the first LF of CR LF CR LF is; -1 where it is not. Looks at every fourth byte only: one that is neither CR nor LF cannot be in
 * it (Horspool). The runtime's search stops at every line end. No byte is read beyond the last: that costs V8 its fast road.
 */
function emptyLineAfterLine(bytes: Buffer, from: number): number {
  const last = bytes.length - 4;
  let at = from + 3;
  for (; at <= last; at += 4) {
    // Three places in one turn: the turn costs more than the place.
    if (isOther(bytes, at)) {
      at += 4;
      if (at > last) break;
      if (isOther(bytes, at)) {
        at += 4;
        if (at > last) break;
        if (isOther(bytes, at)) continue;
      }
    }
    const byte = bytes[at] ?? 0;
    if (byte === lineFeed) {
      if (bytes[at - 1] !== carriageReturn) continue;
      if (bytes[at - 2] === lineFeed && bytes[at - 3] === carriageReturn) return at - 2;
      if (bytes[at + 1] === carriageReturn && bytes[at + 2] === lineFeed) return at;
    } else if (byte === carriageReturn) {
      if (bytes[at + 1] !== lineFeed) continue;
      if (bytes[at - 1] === lineFeed && bytes[at - 2] === carriageReturn) return at - 1;
      if (bytes[at + 2] === carriageReturn && bytes[at + 3] === lineFeed) return at + 1;
    }
  }
  for (at -= 3; at <= last; at++) if (startsWith(bytes, at, emptyLineEnd)) return at + 1;
  return -1;
}

/** Neither CR nor LF, nor below them. */
function isOther(bytes: Buffer, at: number): boolean {
  return (bytes[at] ?? 0) > carriageReturn;
}

/** Where LF CR LF begins; -1 where it does not. Looks at every third byte only. */
function emptyLine(bytes: Buffer, from: number): number {
  const { length } = bytes;
  for (let at = from + 2; at < length; ) {
    const byte = bytes[at];
    if (byte === lineFeed) {
      if (bytes[at - 1] === carriageReturn && bytes[at - 2] === lineFeed) return at - 2;
      at += 2;
    } else at += byte === carriageReturn ? 1 : 3;
  }
  return -1;
}

/** How the message ends whose first line goes from `start` to `feed`; undefined where that line does not end in these bytes. */
function endingOf(bytes: Buffer, start: number, feed: number, isEvent: boolean): Ending | undefined {
  if (feed === bytes.length) return undefined;
  if (feed === start || bytes[feed - 1] !== carriageReturn) return 'bare';
  return isEvent ? 'event' : 'line';
}

function skipBlank(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && (bytes[at] === lineFeed || bytes[at] === carriageReturn)) at++;
  return at;
}

/** Whether the bytes from `from` on are these; `from` is within the buffer. */
function startsWith(bytes: Buffer, from: number, prefix: Buffer): boolean {
  if (from + prefix.length > bytes.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[from + i] !== prefix[i]) return false;
  return true;
}

function longestLine(bytes: Buffer, start: number, end: number): number {
  let longest = 0;
  for (let at = start; at < end; ) {
    const feed = lines.indexOfByte(bytes, lineFeed, at, end);
    longest = Math.max(longest, feed - at);
    at = feed + 1;
  }
  return longest;
}
