import { randomBytes } from 'node:crypto';
import type { Party } from '../api.ts';
import type { Bridge } from './bridge.ts';
import { causeText } from './cause.ts';
import { escapeName, stateName } from './event.ts';
import type { Line, Pbx } from './pbx.ts';

/** What holds a channel at work in the dialplan. Called once, when something ends it from outside. */
export interface Running {
  /** Cleans up after the application: cancels a Dial, leaves a queue. The channel itself goes on living. */
  interrupt(why: 'hangup' | 'redirect', cause: number): void;
  /** What the application tells when the conversation it made is over, and by whose doing. */
  talked?(by: Channel | 'transfer'): void;
}

/** A leg that a Dial or Queue rings. */
export interface Ringing {
  answered(): void;
  /** The telephone or an AMI Hangup refused: `status` is the DialStatus. */
  refused(cause: number, techCause: number | undefined, request: boolean): void;
  /** The time limit of the Dial is over. */
  timedOut(): void;
  /** Somebody else picks the call up; absent where nobody can (the telephone is rung by an Originate). */
  taken?(by: Channel): void;
}

/** An attended transfer under way, as its transferer's channel sees it. */
export interface Consultation {
  /** The transferer hangs up. */
  complete(by: 'phone' | 'manager'): void;
  /** The transferer goes back to who waits. */
  cancel(): void;
}

/** A channel. Fields are what the next event says of it. */
export interface Channel {
  readonly name: string;
  readonly uniqueid: string;
  linkedid: string;
  state: number;
  callerId: Party | undefined;
  connected: Party | undefined;
  context: string;
  exten: string;
  priority: number;
  account: string;
  application: string;
  data: string;
  /** SIP Call-ID, seen in BRIDGEPVTCALLID. */
  readonly callId: string;
  readonly line: Line;
  /** The number its telephone dialled, when it did. */
  readonly dialed: string | undefined;
  readonly variables: Map<string, string>;
  readonly since: number;
  bridge: Bridge | undefined;
  /** Its own telephone pressed hold. */
  holding: boolean;
  running: Running | undefined;
  ringing: Ringing | undefined;
  gone: boolean;
  /** The other half of a Local channel. */
  twin: Channel | undefined;
  /** What its consultation is to do, while there is one (attended transfer). */
  consultation: Consultation | undefined;
  /** Called after its Hangup event. */
  onGone: (() => void) | undefined;
}

/** What `newChannel` needs to know. */
export interface ChannelSpec {
  readonly line: Line;
  readonly state: number;
  readonly context: string;
  readonly exten: string;
  readonly callerId?: Party | undefined;
  readonly dialed?: string;
  readonly linkedid?: string;
  /** Default: made of the telephone's number. */
  readonly name?: string;
  readonly uniqueid?: string | undefined;
  readonly account?: string;
}

/** Makes a channel and tells of it. */
export function newChannel(pbx: Pbx, spec: ChannelSpec): Channel {
  const serial = pbx.serial();
  const uniqueid = spec.uniqueid ?? pbx.uniqueid(serial);
  const channel: Channel = {
    name: spec.name ?? `PJSIP/${spec.line.endpoint.number}-${serial.toString(16).padStart(8, '0')}`,
    uniqueid,
    linkedid: spec.linkedid ?? uniqueid,
    state: spec.state,
    callerId: spec.callerId ?? spec.line.endpoint.callerId,
    connected: undefined,
    context: spec.context,
    exten: spec.exten,
    priority: 1,
    account: spec.account ?? '',
    application: '',
    data: '',
    callId: `${randomBytes(8).toString('hex')}@sim`,
    line: spec.line,
    dialed: spec.dialed,
    variables: new Map(),
    since: Date.now(),
    bridge: undefined,
    holding: false,
    running: undefined,
    ringing: undefined,
    gone: false,
    twin: undefined,
    consultation: undefined,
    onGone: undefined,
  };
  pbx.channels.set(channel.name, channel);
  pbx.touch(spec.line.endpoint);
  channelEvent(pbx, 'Newchannel', channel);
  return channel;
}

/** The headers every channel event begins with, in Asterisk's order (`ast_manager_build_channel_state_string`). */
export function snapshot(channel: Channel, prefix = ''): string {
  return (
    `${prefix}Channel: ${channel.name}\r\n${prefix}ChannelState: ${channel.state}\r\n` +
    `${prefix}ChannelStateDesc: ${stateName(channel.state)}\r\n` +
    `${prefix}CallerIDNum: ${number(channel.callerId)}\r\n${prefix}CallerIDName: ${name(channel.callerId)}\r\n` +
    `${prefix}ConnectedLineNum: ${number(channel.connected)}\r\n${prefix}ConnectedLineName: ${name(channel.connected)}\r\n` +
    `${prefix}Language: en\r\n${prefix}AccountCode: ${channel.account}\r\n${prefix}Context: ${channel.context}\r\n` +
    `${prefix}Exten: ${channel.exten}\r\n${prefix}Priority: ${channel.priority}\r\n` +
    `${prefix}Uniqueid: ${channel.uniqueid}\r\n${prefix}Linkedid: ${channel.linkedid}\r\n`
  );
}

function number(party: Party | undefined): string {
  return party === undefined || party.number === '' ? '<unknown>' : escapeName(party.number);
}

function name(party: Party | undefined): string {
  return party?.name === undefined || party.name === '' ? '<unknown>' : escapeName(party.name);
}

/** An event about one channel; `rest` is what follows its headers, ready-made lines. */
export function channelEvent(pbx: Pbx, event: string, channel: Channel, rest = '', privilege = 'call'): void {
  pbx.publish(event, privilege, snapshot(channel) + rest);
}

/** Changes the state and tells of it. */
export function setState(pbx: Pbx, channel: Channel, state: number): void {
  if (channel.state === state) return;
  channel.state = state;
  pbx.touch(channel.line.endpoint);
  channelEvent(pbx, 'Newstate', channel);
  // What is heard on one half of a Local channel, the other half passes on.
  if (channel.twin !== undefined && state !== 4) setState(pbx, channel.twin, state);
}

/** Sets a variable; VarSet is most of what a real PBX sends. */
export function setVariable(pbx: Pbx, channel: Channel, variable: string, value: string): void {
  channel.variables.set(variable, value);
  if (pbx.noise)
    channelEvent(pbx, 'VarSet', channel, `Variable: ${variable}\r\nValue: ${value}\r\n`, 'dialplan');
}

/** The channel begins an application. */
export function newExten(pbx: Pbx, channel: Channel, application: string, data = ''): void {
  channel.application = application;
  channel.data = data;
  if (!pbx.noise) return;
  const rest = `Extension: ${channel.exten}\r\nApplication: ${application}\r\nAppData: ${data}\r\n`;
  channelEvent(pbx, 'Newexten', channel, rest, 'dialplan');
}

/** Another party is now at the other end. */
export function connect(pbx: Pbx, channel: Channel, party: Party | undefined): void {
  channel.connected = party;
  channelEvent(pbx, 'NewConnectedLine', channel);
}

/** The channel's own number or name changes. */
export function identify(pbx: Pbx, channel: Channel, party: Party | undefined): void {
  channel.callerId = party;
  channelEvent(pbx, 'NewCallerid', channel, 'CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n');
}

/** The telephone asks for the end of its call. */
export function hangupRequest(pbx: Pbx, channel: Channel, cause?: number, techCause?: number): void {
  channelEvent(pbx, 'HangupRequest', channel, causeLines(cause, techCause));
}

/** Asterisk itself asks a channel in the dialplan to end. */
export function softHangupRequest(pbx: Pbx, channel: Channel, techCause?: number): void {
  channelEvent(pbx, 'SoftHangupRequest', channel, causeLines(16, techCause));
}

/** The end of a channel: its last event. */
export function destroy(pbx: Pbx, channel: Channel, cause: number, techCause?: number): void {
  if (channel.gone) return;
  channel.gone = true;
  channel.ringing = undefined;
  channel.running = undefined;
  pbx.channels.delete(channel.name);
  pbx.touch(channel.line.endpoint);
  const tech = techCause === undefined ? '' : `TechCause: ${techCause}\r\n`;
  channelEvent(pbx, 'Hangup', channel, `Cause: ${cause}\r\nCause-txt: ${causeText(cause)}\r\n${tech}`);
  channel.onGone?.();
}

function causeLines(cause: number | undefined, techCause: number | undefined): string {
  const first = cause === undefined ? '' : `Cause: ${cause}\r\n`;
  return techCause === undefined ? first : `${first}TechCause: ${techCause}\r\n`;
}
