/** Reads the particulars of a channel or a bridge out of a message: the headers that Asterisk's snapshots share. */

import { Block } from './block.ts';
import type { Bridge, Channel, ChannelState } from './events.ts';
import type { AmiMessage } from './message.ts';
import type { ChannelId } from './pbx.ts';

/** Reads what headers say that are written together, all with the same prefix; undefined where the message has none. */
type PrefixReader<T> = (message: AmiMessage, prefix?: string) => T | undefined;

/**
 * Makes a reader.
 * @param written the headers without prefix, in their order
 * @param meaningless those of them that nobody asks for
 * @param make what the values mean, by place in `written`
 * @param remembered how many are remembered without prefix, as nearly all are: a power of two
 */
function prefixReader<T>(
  written: readonly string[],
  meaningless: ReadonlySet<string>,
  make: (values: readonly string[]) => T | undefined,
  remembered: number,
): PrefixReader<T> {
  const withPrefix = (prefix: string): PrefixReader<T> => {
    const names = written.map((name) => prefix + name);
    const asked = new Set(names.filter((_, n) => !meaningless.has(written[n] ?? '')));
    const block = new Block({
      names,
      asked,
      whole: true,
      make,
      remembered: prefix === '' ? remembered : 512,
    });
    return (message) => message.block?.(block) ?? make(names.map((name) => message.get(name)));
  };
  const plain = withPrefix('');
  // Names are put together once per prefix, not once per message.
  const prefixed = new Map<string, PrefixReader<T>>();
  return (message, prefix = '') => {
    if (prefix === '') return plain(message);
    let reader = prefixed.get(prefix);
    if (reader === undefined) {
      reader = withPrefix(prefix);
      prefixed.set(prefix, reader);
    }
    return reader(message);
  };
}

/**
 * The channel whose headers begin with `prefix` (`''`, `'Dest'`, `'Transferer'`, …), or undefined where the message has none. The same object as
 * the last time where nothing is new. In the order of `ast_manager_build_channel_state_string_prefix` (manager_channels.c).
 */
export const readChannel = prefixReader<Channel>(
  [
    'Channel',
    'ChannelState',
    'ChannelStateDesc',
    'CallerIDNum',
    'CallerIDName',
    'ConnectedLineNum',
    'ConnectedLineName',
    'Language',
    'AccountCode',
    'Context',
    'Exten',
    'Priority',
    'Uniqueid',
    'Linkedid',
  ],
  new Set(['ChannelStateDesc', 'Language', 'AccountCode']),
  channelOf,
  4096,
);

/**
 * The bridge whose headers begin with `prefix` (`''`, `'To'`, `'From'`), or undefined where the message has none. In the order of
 * `ast_manager_build_bridge_state_string_prefix` (manager_bridges.c).
 */
export const readBridge = prefixReader<Bridge>(
  ['BridgeUniqueid', 'BridgeType', 'BridgeTechnology', 'BridgeCreator', 'BridgeName', 'BridgeNumChannels'],
  new Set(['BridgeTechnology', 'BridgeCreator', 'BridgeName']),
  bridgeOf,
  1024,
);

function bridgeOf([id = '', type = '', , , , size = '']: readonly string[]): Bridge | undefined {
  return id === '' ? undefined : { id, type, size: whole(size) ?? 0 };
}

function channelOf(values: readonly string[]): Channel | undefined {
  const [
    name = '',
    state = '',
    ,
    callerNumber = '',
    callerName = '',
    connectedNumber = '',
    connectedName = '',
    ,
    ,
    context = '',
    exten = '',
    ,
    uniqueId = '',
    linkedId = '',
  ] = values;
  if (name === '' || uniqueId === '') return undefined;
  return {
    name: name as ChannelId,
    uniqueId,
    // COMPAT: before Asterisk 12 some events had no Linkedid; a channel alone is its own group.
    linkedId: linkedId || uniqueId,
    state: channelState(state),
    callerNumber: known(callerNumber),
    callerName: readName(callerName),
    connectedNumber: known(connectedNumber),
    connectedName: readName(connectedName),
    context,
    exten,
  };
}

/** Where the channel is in the dialplan, from 1; 0 where the message does not say. */
export function readPriority(message: AmiMessage): number {
  return whole(message.get('Priority')) ?? 0;
}

/** A non-negative whole number, or undefined. */
export function whole(text: string): number | undefined {
  if (text.length === 0 || text.length > 15) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** Asterisk's ways to write "nothing" in a value. */
export function known(value: string): string {
  return value === '<unknown>' || value === '(null)' || value === '<null>' ? '' : value;
}

/** A name of a channel event: not "nothing", without escapes, and without the half character of a name that was cut at 79 bytes. */
export function readName(value: string): string {
  const name = withoutEscapes(known(value));
  return name.endsWith('\uFFFD') ? name.replace(/\uFFFD+$/, '') : name;
}

// utils.c, ast_escape_c: the escaped characters and what stands for them.
const escapes = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

/** Takes back `ast_escape_c` (utils.c). A backslash that escapes nothing stays. */
export function withoutEscapes(value: string): string {
  if (!value.includes('\\')) return value;
  return value.replace(/\\([abfnrtv\\'"?])/g, (_all, letter: string) => escapes.get(letter) ?? letter);
}

/** channelstate.h */
function channelState(digits: string): ChannelState {
  switch (digits) {
    case '0':
      return 'down';
    case '4':
      return 'ring';
    case '5':
      return 'ringing';
    case '6':
      return 'up';
    case '7':
      return 'busy';
    default:
      return 'other';
  }
}
