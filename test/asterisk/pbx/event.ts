/** One header of an AMI message. */
export type Header = readonly [key: string, value: string | number];

/** Lines `Key: value` in order, each ended by CR LF. */
export function lines(headers: readonly Header[]): string {
  let text = '';
  for (const [key, value] of headers) text += `${key}: ${value}\r\n`;
  return text;
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '?': '\\?',
};

/** Escapes a name as Asterisk does in channel snapshots (`ast_escape_c_alloc`, main/strings.c). */
export function escapeName(name: string): string {
  // The usual name needs none of it, and names are written hundreds of times in a call.
  return /[\x07-\x0d"'?\\]/.test(name) ? name.replace(/[\x07-\x0d"'?\\]/g, (c) => escapes[c] ?? c) : name;
}

/** What goes out to the AMI sessions: the text of a whole message and the class that may read it. */
export interface Outgoing {
  readonly name: string;
  readonly privilege: string;
  readonly text: string;
}

const states: Readonly<Record<number, string>> = { 0: 'Down', 4: 'Ring', 5: 'Ringing', 6: 'Up', 7: 'Busy' };

/** Asterisk's word for a channel state (`ast_state2str`, main/channel.c). */
export function stateName(state: number): string {
  return states[state] ?? 'Unknown';
}
