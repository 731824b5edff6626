/** Reads the particulars of a channel or a bridge out of a message: the headers that Asterisk's snapshots share. */

import type { Bridge, Channel, ChannelState } from './events.ts';
import type { AmiMessage } from './message.ts';
import type { ChannelId } from './pbx.ts';

interface ChannelHeaders {
  readonly channel: string;
  readonly state: string;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly connectedNumber: string;
  readonly connectedName: string;
  readonly context: string;
  readonly exten: string;
  readonly uniqueId: string;
  readonly linkedId: string;
}

// Names are put together once per prefix, not once per message.
const headersByPrefix = new Map<string, ChannelHeaders>();

function headersOf(prefix: string): ChannelHeaders {
  const known = headersByPrefix.get(prefix);
  if (known !== undefined) return known;
  const headers = {
    channel: `${prefix}Channel`,
    state: `${prefix}ChannelState`,
    callerNumber: `${prefix}CallerIDNum`,
    callerName: `${prefix}CallerIDName`,
    connectedNumber: `${prefix}ConnectedLineNum`,
    connectedName: `${prefix}ConnectedLineName`,
    context: `${prefix}Context`,
    exten: `${prefix}Exten`,
    uniqueId: `${prefix}Uniqueid`,
    linkedId: `${prefix}Linkedid`,
  };
  headersByPrefix.set(prefix, headers);
  return headers;
}

/**
 * The channel whose headers begin with `prefix` (`''`, `'Dest'`, `'Transferer'`, …), or undefined where the message has none.
 * Follows `ast_manager_build_channel_state_string_prefix` (manager_channels.c).
 */
export function readChannel(message: AmiMessage, prefix = ''): Channel | undefined {
  const headers = headersOf(prefix);
  // In the order in which Asterisk writes them: looking for a header finds the place of those before it.
  const name = message.get(headers.channel);
  if (name === '') return undefined;
  const state = channelState(message.get(headers.state));
  const callerNumber = known(message.get(headers.callerNumber));
  const callerName = readName(message.get(headers.callerName));
  const connectedNumber = known(message.get(headers.connectedNumber));
  const connectedName = readName(message.get(headers.connectedName));
  const context = message.get(headers.context);
  const exten = message.get(headers.exten);
  const uniqueId = message.get(headers.uniqueId);
  if (uniqueId === '') return undefined;
  return {
    name: name as ChannelId,
    uniqueId,
    // COMPAT: before Asterisk 12 some events had no Linkedid; a channel alone is its own group.
    linkedId: message.get(headers.linkedId) || uniqueId,
    state,
    callerNumber,
    callerName,
    connectedNumber,
    connectedName,
    context,
    exten,
  };
}

/** The bridge whose headers begin with `prefix` (`''`, `'To'`, `'From'`), or undefined where the message has none. */
export function readBridge(message: AmiMessage, prefix = ''): Bridge | undefined {
  const id = message.get(`${prefix}BridgeUniqueid`);
  if (id === '') return undefined;
  const size = message.get(`${prefix}BridgeNumChannels`);
  return { id, type: message.get(`${prefix}BridgeType`), size: whole(size) ?? 0 };
}

/** Where the channel is in the dialplan, from 1; 0 where the message does not say. */
export function readPriority(message: AmiMessage): number {
  return whole(message.get('Priority')) ?? 0;
}

/** A non-negative whole number, or undefined. */
export function whole(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
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

// channelstate.h
const states = new Map<string, ChannelState>([
  ['0', 'down'],
  ['4', 'ring'],
  ['5', 'ringing'],
  ['6', 'up'],
  ['7', 'busy'],
]);

function channelState(digits: string): ChannelState {
  return states.get(digits) ?? 'other';
}
