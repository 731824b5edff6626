/**
 * Lets through whole LDAP messages only, and only such as are what they say: the library takes lengths as they come, and one that is
 * wrong makes it read for ever. It also gathers all that is found until the server is done, which is everything where a server ignores paging: what is
 * found goes past it.
 */

import type { Gate } from '../gated.ts';

/** Bytes of one message; a person without photograph has a few hundred. */
const largest = 1024 * 1024;
/** Bytes of one connection, none of which are kept here: a hundred thousand persons have some fifty million. */
const most = 512 * 1024 * 1024;
/** LDAP needs nine. */
const deepest = 16;

/** SearchResultEntry, SearchResultReference and SearchResultDone (RFC 4511 §4.5.2). */
const entryTag = 0x64;
const referenceTag = 0x73;
const doneTag = 0x65;
const controlsTag = 0xa0;
const stringTag = 0x04;
const sequenceTag = 0x30;
const setTag = 0x31;

/** Tags of what a control may have: its type, whether it is critical, its value (RFC 4511 §4.1.11). */
const controls: ReadonlySet<string> = new Set(
  [[0x04], [0x04, 0x01], [0x04, 0x04], [0x04, 0x01, 0x04]].map(String),
);

/**
 * Makes a gate for one connection. `onEntry` gets each message with something that was found; of each answer the first one goes through as well, since
 * the library asks for no further page after an empty one. What it throws ends the connection.
 */
export function createMessageGate(onEntry: (message: Buffer) => void): Gate {
  let waiting: Buffer = Buffer.alloc(0);
  let passed = 0;
  /** Something of the present answer went through. */
  let isFound = false;

  /** Whether the library gets a message. */
  function admits(message: Buffer): boolean {
    const tag = operationOf(message);
    if (tag === doneTag) isFound = false;
    if (tag !== entryTag && tag !== referenceTag) return true;
    if (tag === entryTag) onEntry(message);
    const isFirst = !isFound;
    isFound = true;
    return isFirst;
  }

  return (chunk) => {
    passed += chunk.length;
    if (passed > most) throw new Error('LDAP: the server does not stop sending');
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    const whole: Buffer[] = [];
    let end = 0;
    for (;;) {
      const next = messageEnd(waiting, end);
      if (next === undefined) break;
      checkParts(waiting, end, next, 0);
      const message = waiting.subarray(end, next);
      if (admits(message)) whole.push(message);
      end = next;
    }
    waiting = waiting.subarray(end);
    return Buffer.concat(whole);
  };
}

/** What a message is: the tag behind its id. Its parts have been checked. */
function operationOf(message: Buffer): number | undefined {
  const id = lengthAt(message, 1)?.start ?? 0;
  const head = lengthAt(message, id + 1);
  return head && message[head.start + head.length];
}

/** Where the message that begins at `at` ends; undefined while it is not complete. */
function messageEnd(bytes: Buffer, at: number): number | undefined {
  if (at >= bytes.length) return undefined;
  // RFC 4511 §5.1: each is a SEQUENCE.
  if (bytes[at] !== sequenceTag) throw new Error('LDAP: what the server sends is no LDAP');
  const head = lengthAt(bytes, at + 1);
  if (head === undefined) return undefined;
  const end = head.start + head.length;
  if (head.length > largest)
    throw new Error(`LDAP: a message of ${head.length} bytes, ${largest} are possible`);
  return end <= bytes.length ? end : undefined;
}

/** X.690 §8.1.3, definite forms of up to four bytes (RFC 4511 §5.1 allows no others that make sense). Undefined while incomplete. */
function lengthAt(
  bytes: Buffer,
  at: number,
): { readonly start: number; readonly length: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 1, length: first };
  const count = first - 0x80;
  if (count === 0 || count > 4) throw new Error('LDAP: a length that LDAP does not have');
  if (at + 1 + count > bytes.length) return undefined;
  return { start: at + 1 + count, length: bytes.readUIntBE(at + 1, count) };
}

/** Everything between `at` and `end` is elements that fill it exactly, and so are their contents. */
function checkParts(bytes: Buffer, at: number, end: number, depth: number): void {
  if (depth > deepest) throw new Error('LDAP: a message is nested too deep');
  for (let next = at; next < end; ) {
    const tag = bytes[next] ?? 0;
    const head = lengthAt(bytes, next + 1);
    if (head === undefined || head.start + head.length > end) throw new Error('LDAP: a length is wrong');
    const isConstructed = (tag & 0x20) !== 0;
    if (isConstructed) {
      checkParts(bytes, head.start, head.start + head.length, depth + 1);
      checkShape(bytes, { tag, start: head.start, end: head.start + head.length });
    }
    // The library reads whole numbers bit by bit, however many there are.
    else if ((tag === 0x02 || tag === 0x0a) && (head.length === 0 || head.length > 4)) {
      throw new Error('LDAP: a number is wrong');
    }
    next = head.start + head.length;
  }
}

/** An element: its tag, and where its contents lie. */
interface Part {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** What an element consists of, whose parts have been checked. */
function partsOf(bytes: Buffer, { start, end }: Part): Part[] {
  const parts: Part[] = [];
  for (let at = start; at < end; ) {
    const head = lengthAt(bytes, at + 1) ?? { start: end, length: 0 };
    const next = head.start + head.length;
    parts.push({ tag: bytes[at] ?? 0, start: head.start, end: next });
    at = next;
  }
  return parts;
}

/**
 * Lists are lists. Where the library expects one it reads into whatever is there, and what is in an element without parts was not checked: of
 * lengths that are wrong there it makes no progress, for ever.
 */
function checkShape(bytes: Buffer, part: Part): void {
  if (part.tag === entryTag) checkEntry(bytes, part);
  if (part.tag !== controlsTag) return;
  for (const control of partsOf(bytes, part)) {
    const tags = control.tag === sequenceTag ? partsOf(bytes, control).map(({ tag }) => tag) : [];
    if (!controls.has(String(tags))) throw new Error('LDAP: a control is none');
  }
}

/** RFC 4511 §4.5.2: a name, and attributes. */
function checkEntry(bytes: Buffer, entry: Part): void {
  const [name, list, ...more] = partsOf(bytes, entry);
  const isEntry =
    name?.tag === stringTag &&
    list?.tag === sequenceTag &&
    more.length === 0 &&
    partsOf(bytes, list).every((each) => isAttribute(bytes, each));
  if (!isEntry) throw new Error('LDAP: an entry is none');
}

/** RFC 4511 §4.1.7: a type and a set of values. */
function isAttribute(bytes: Buffer, attribute: Part): boolean {
  if (attribute.tag !== sequenceTag) return false;
  const [type, values, ...more] = partsOf(bytes, attribute);
  return type?.tag === stringTag && values?.tag === setTag && more.length === 0;
}
