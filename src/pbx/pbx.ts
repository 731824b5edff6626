/** The PBX port: a telephone system that tells what happens and does what it is told. Types only. */

import type { PbxEvent } from './events.ts';

declare const brand: unique symbol;

/** Names one telephone system; `main` where there is only one. */
export type PbxId = string & { readonly [brand]: 'PbxId' };

/** A channel's name as the telephone system writes it, e.g. `PJSIP/340-0000001c`. */
export type ChannelId = string & { readonly [brand]: 'ChannelId' };

/** A device as its channels and device states name it: technology and endpoint, e.g. `PJSIP/340`. */
export type DeviceName = string & { readonly [brand]: 'DeviceName' };

/** What a connection to the telephone system is doing. */
export interface PbxState {
  /** Actions can be carried out. */
  readonly control: boolean;
  /** Events arrive and the snapshot is in. */
  readonly feed: boolean;
  /** Why not, for logs and readiness; no secrets; empty while both are up. */
  readonly reason: string;
}

/** Call a device, and connect it with a number once it answers. */
export interface Originate {
  /** Unique id that the device's channel shall bear; unguessable, used once, at most 100 letters, digits and hyphens. */
  readonly uniqueId: string;
  /** Dial string of the device that rings first, e.g. `PJSIP/340`; from the directory, never from a client. */
  readonly device: string;
  /** Context and extension that the answered device is sent to; the extension is a checked number. */
  readonly context: string;
  readonly exten: string;
  /** Caller ID shown to the called party: the user's own. */
  readonly callerName: string;
  readonly callerNumber: string;
  /** How long the device may ring, milliseconds. */
  readonly ringMs: number;
}

/** One endpoint as the telephone system lists it. */
export interface PbxEndpoint {
  readonly device: DeviceName;
  /** Name from the endpoint's caller ID or its mailbox; empty where unknown. */
  readonly fullName: string;
  /** Extension from its hint or caller ID; empty where unknown. */
  readonly extension: string;
  /** `340@default`; empty where it has none. */
  readonly mailbox: string;
}

/** Messages in a voicemail box. */
export interface MailboxCount {
  readonly newMessages: number;
  readonly oldMessages: number;
}

/**
 * One telephone system. Every verb rejects with `Failure`: `pbx-unavailable` while the control connection is away (nothing
 * is queued) and when it drops before the answer, `rejected` with Asterisk's own sentence, `no-such-channel`,
 * `not-permitted` where the AMI account lacks the right; with `StanzaError` `remote-server-timeout` when
 * no answer comes within the adapter's action deadline. Values that AMI cannot carry (CR, LF, NUL, over-long) are refused
 * with `Failure` `invalid-target` and nothing is sent.
 */
export interface Pbx {
  readonly id: PbxId;
  readonly state: PbxState;
  /** Begins to connect, for ever, with backoff. Resolves when both connections were up once; never rejects. */
  start(): Promise<void>;
  /** Fails what is pending, closes, never connects again. */
  stop(): Promise<void>;
  onState(listener: (state: PbxState) => void): () => void;
  /** The event road: called synchronously, in order. One listener; the bridge. */
  onEvent(listener: (event: PbxEvent) => void): void;
  /** Resolves when the telephone system has accepted the call; what becomes of it, the events tell. */
  originate(call: Originate): Promise<void>;
  /** `rejected`: a ringing telephone is told that its user declined; without, the call just ends. */
  hangup(channel: ChannelId, reason?: 'rejected'): Promise<void>;
  /** Blind transfer by the channel of the one who transfers: its bridged peer goes to the extension. */
  blindTransfer(channel: ChannelId, context: string, exten: string): Promise<void>;
  /** Sends a channel to an extension, wherever it is now. */
  redirect(channel: ChannelId, context: string, exten: string): Promise<void>;
  /** Endpoints with what else is known of them: the directory's source where no file is configured. */
  endpoints(): Promise<readonly PbxEndpoint[]>;
  /** Message counters of every voicemail box, by `340@default` (VoicemailUsersList); empty where app_voicemail is not loaded. */
  mailboxes(): Promise<ReadonlyMap<string, MailboxCount>>;
}
