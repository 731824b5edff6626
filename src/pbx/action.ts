/** Actions as they may leave the bridge: every value has a grammar, and none can end its line. */

import { fail } from '../errors.ts';

/** An action: the `Action` itself and its headers, in order. `ActionID` is added when it is sent. */
export interface AmiAction {
  readonly name: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

// manager.c: a line is read into a buffer of 1024 bytes with its CR LF and NUL; at most AST_MAX_MANHEADERS = 128 headers.
const maxLine = 1021;
const maxHeaders = 126;

// Line ends cut the action in two, NUL cuts the line short, half a surrogate pair has no UTF-8.
const unsendable = /[\r\n\0\p{Cs}]/u;
const headerName = /^[A-Za-z][A-Za-z0-9-]{0,39}$/;

/**
 * Checks an action against what AMI can carry and returns it.
 * Throws `Failure` `invalid-target` for CR, LF, NUL or half a surrogate pair in a value, a line over 1021 bytes, more than 126 headers.
 */
export function action(name: string, headers: Readonly<Record<string, string>> = {}): AmiAction {
  const list = Object.entries(headers);
  if (list.length > maxHeaders) fail('invalid-target', `The action ${name} has more headers than AMI takes.`);
  for (const [key, value] of [['Action', name] as const, ...list]) {
    if (!headerName.test(key)) throw new TypeError(`'${key}' is no AMI header name`);
    if (unsendable.test(value)) {
      fail('invalid-target', `${key} holds a character that AMI cannot carry.`);
    }
    if (Buffer.byteLength(key) + 2 + Buffer.byteLength(value) > maxLine) {
      fail('invalid-target', `${key} is too long: AMI lines hold at most ${maxLine} bytes.`);
    }
  }
  return { name, headers: list };
}

/** The action as bytes for the wire, blank line included. `id` must be free of line ends. */
export function wire(id: string, { name, headers }: AmiAction): string {
  let text = `Action: ${name}\r\nActionID: ${id}\r\n`;
  for (const [key, value] of headers) text += `${key}: ${value}\r\n`;
  return `${text}\r\n`;
}

// A leading `/` would make Hangup take it for a regular expression (manager.c action_hangup); `&` and `,` separate in dial strings.
const channelName = /^[A-Za-z][A-Za-z0-9_]{0,31}\/[^\s&,|<>"'$\p{Cc}\p{Cs}]{1,220}$/u;
const contextName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,78}$/;
const extension = /^[A-Za-z0-9*#+][A-Za-z0-9*#+._-]{0,78}$/;

/** The value if it can name a channel or be dialled as a device (`PJSIP/340`, `Local/340@internal-00000001;1`). Throws `Failure` `invalid-target`. */
export function checkedChannel(value: string): string {
  if (channelName.test(value)) return value;
  return fail('invalid-target', 'That is not the name of a channel or device, such as PJSIP/340-0000001c.');
}

/** The endpoint of a PJSIP device: `PJSIP/340` → `340`. Throws `Failure` `invalid-target`, `not-supported` for other technologies. */
export function checkedEndpoint(device: string): string {
  const [technology, endpoint = ''] = checkedChannel(device).split('/');
  if (technology === 'PJSIP' && endpoint !== '') return endpoint;
  return fail('not-supported', 'Only telephones on PJSIP can be told to press a key.');
}

/** The value if it can name a dialplan context. Throws `Failure` `invalid-target`. */
export function checkedContext(value: string): string {
  if (contextName.test(value)) return value;
  return fail(
    'invalid-target',
    'A context is named with letters, digits and . _ - only, at most 79 of them.',
  );
}

/** The value if it can be one extension: no pattern, no list, no expression. Throws `Failure` `invalid-target`. */
export function checkedExtension(value: string): string {
  if (extension.test(value)) return value;
  return fail(
    'invalid-target',
    'A number consists of letters, digits and * # + . _ - only, at most 79 of them.',
  );
}

// channel.h: caller names live in buffers of 80 bytes with their NUL (AST_MAX_EXTENSION).
const nameBytes = 79;

/**
 * `"name" <number>` as ast_callerid_parse (callerid.c) takes it apart again: the number between the last `<` and its
 * `>`, the name between the first two quotes. It knows no escape, so a quote in the name becomes an apostrophe; `<`, `>`
 * and commas inside the quotes are the name's own. A name over 79 bytes is cut between characters.
 *
 * Throws `Failure` `invalid-target` where the number is none; the name's line ends are for {@link action} to refuse.
 */
export function callerId(name: string, number: string): string {
  return `"${cut(name.replaceAll('"', "'"), nameBytes)}" <${checkedExtension(number)}>`;
}

function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let out = '';
  let size = 0;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    out += character;
  }
  return out;
}
