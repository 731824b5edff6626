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

/** `Event` of a NOTIFY that telephones take for a key, where they support it: the telephone makers' `talk` and `hold` packages. */
export type TelephoneKey = 'talk' | 'hold';

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

/** A member of a queue as app_queue knows it. */
export interface QueueMember {
  readonly queue: string;
  /** What is rung, and what names the member in actions: `PJSIP/340`, `Local/340@internal/n`. */
  readonly interface: string;
  /** The device whose state counts; mostly the same. */
  readonly stateInterface: string;
  readonly paused: boolean;
  /** Empty where none was given, or there is no break. */
  readonly pausedReason: string;
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
  /** Begins to connect, for ever, with backoff. Resolves when both connections were up once, or with {@link stop}; never rejects. */
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
  /**
   * Presses a key of a telephone from afar, by SIP NOTIFY (RFC 6665): `talk` answers or takes off hook, `hold` puts on hold. What the telephone
   * makes of it, only its events tell. Besides the usual: `not-supported` where the device is none of PJSIP.
   */
  notify(device: DeviceName, event: TelephoneKey): Promise<void>;
  /** Endpoints with what else is known of them: the directory's source where no file is configured. */
  endpoints(): Promise<readonly PbxEndpoint[]>;
  /** Message counters of every voicemail box, by `340@default` (VoicemailUsersList); empty where app_voicemail is not loaded. */
  mailboxes(): Promise<ReadonlyMap<string, MailboxCount>>;
  /** The value of an AstDB entry; undefined where there is none. Family and key: letters, digits and `* # + _ . -`. */
  dbGet(family: string, key: string): Promise<string | undefined>;
  /** All entries of an AstDB family by key; undefined where the telephone system cannot list them (Asterisk before 18.18). */
  dbFamily(family: string): Promise<ReadonlyMap<string, string> | undefined>;
  dbPut(family: string, key: string, value: string): Promise<void>;
  /** Removes an AstDB entry; one that is not there is ignored. */
  dbDel(family: string, key: string): Promise<void>;
  /** The members of every queue; empty where app_queue is not loaded. */
  queueMembers(): Promise<readonly QueueMember[]>;
  /** Begins or ends the break of a member (its `interface`) in one queue. The reason may be empty. */
  queuePause(queue: string, member: string, paused: boolean, reason: string): Promise<void>;
}
