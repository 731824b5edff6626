/** The PBX port: a telephone system that tells what happens and does what it is told. Types only. */

import type { PbxEvent } from './events.ts';

declare const brand: unique symbol;

/** Names one telephone system; `main` where there is only one. */
export type PbxId = string & { readonly [brand]: 'PbxId' };

/** A channel's name as the telephone system writes it, e.g. `PJSIP/340-0000001c`. */
export type ChannelId = string & { readonly [brand]: 'ChannelId' };

/** A device as its channels and device states name it: technology and endpoint, e.g. `PJSIP/340`. */
export type DeviceName = string & { readonly [brand]: 'DeviceName' };

/** Names one recording that runs on a channel; empty where the telephone system gave it no name. */
export type RecordingHandle = string & { readonly [brand]: 'RecordingHandle' };

/** What a connection to the telephone system is doing. */
export interface PbxState {
  /** Actions can be carried out. */
  readonly control: boolean;
  /** Events arrive and the snapshot is in. */
  readonly feed: boolean;
  /** Why not, for logs and readiness; no secrets; empty while both are up. */
  readonly reason: string;
}

/** Ring a device on behalf of its user. What happens when it answers, the verb says. */
export interface Ring {
  /** Unique id that the device's channel shall bear; unguessable, used once, at most 100 letters, digits and hyphens. */
  readonly uniqueId: string;
  /** Dial string of the device that rings first, e.g. `PJSIP/340`; from the directory, never from a client. */
  readonly device: string;
  /** Caller ID shown to the called party: the user's own. */
  readonly callerName: string;
  readonly callerNumber: string;
  /** How long the device may ring, milliseconds. */
  readonly ringMs: number;
}

/** Call a device, and connect it with a number once it answers. */
export interface Originate extends Ring {
  /** Context and extension that the answered device is sent to; the extension is a checked number. */
  readonly context: string;
  readonly exten: string;
}

/** What a supervisor may do in somebody's call: hear it, speak to that party alone, speak to both. */
export type ListenMode = 'listen' | 'whisper' | 'barge';

/** Sound of a channel, as the telephone system sees it: `in` what its user says, `out` what its user hears. */
export type MuteDirection = 'in' | 'out' | 'all';

/** A call that waits in a parking lot. */
export interface ParkedCall {
  /** Extension that fetches it, e.g. `701`. */
  readonly space: string;
  readonly lot: string;
  readonly channel: ChannelId;
  readonly uniqueId: string;
  readonly callerName: string;
  readonly callerNumber: string;
  /** Device that parked it, e.g. `PJSIP/370`. */
  readonly parker: string;
  /** How long it has waited, and in how long it goes back to who parked it; seconds. */
  readonly waited: number;
  readonly timeout: number;
}

/** A conference room with somebody in it. */
export interface Conference {
  readonly room: string;
  readonly locked: boolean;
  readonly members: readonly {
    readonly channel: ChannelId;
    readonly callerName: string;
    readonly callerNumber: string;
    readonly muted: boolean;
  }[];
}

/** `Event` of a NOTIFY that telephones take for a key, where they support it: the telephone makers' `talk` and `hold` packages. */
export type TelephoneKey = 'talk' | 'hold';

/** What a SIP NOTIFY asks of a telephone: to press a key, or what a template of pjsip_notify.conf says. */
export type Notification = TelephoneKey | { readonly template: string };

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
  /** Name of the member in reports; the interface where none was given. */
  readonly name: string;
  /** Came by an action or a dialplan application, and can be removed again. */
  readonly dynamic: boolean;
  /** Members with a lower one are called first. */
  readonly penalty: number;
  readonly paused: boolean;
  /** Empty where none was given, or there is no break. */
  readonly pausedReason: string;
}

/** A caller that waits in a queue. */
export interface QueueEntry {
  readonly channel: ChannelId;
  readonly uniqueId: string;
  readonly callerNumber: string;
  readonly callerName: string;
  /** How long it has waited, seconds. */
  readonly waited: number;
}

/** A queue, whole. */
export interface ListedQueue {
  readonly name: string;
  readonly members: readonly QueueMember[];
  /** In the order in which they are to be served. */
  readonly entries: readonly QueueEntry[];
}

/** Counters of a queue since they were last reset, as app_queue keeps them. */
export interface QueueCounters {
  /** Callers that wait now. */
  readonly waiting: number;
  /** Calls that a member took. */
  readonly completed: number;
  /** Calls that left without one: callers that gave up, and calls whose time ran out. */
  readonly abandoned: number;
  /** Moving averages of the calls that a member took, seconds. */
  readonly holdTime: number;
  readonly talkTime: number;
  /** Seconds within which calls should be taken. */
  readonly serviceLevel: number;
  /** Share of the completed calls, and of all calls, that were taken within it; percent. */
  readonly serviceLevelPerformance: number;
  readonly serviceLevelPerformance2: number;
}

/** Somebody who is to become a member of a queue. */
export interface QueueLogin {
  readonly queue: string;
  readonly interface: string;
  readonly stateInterface: string;
  readonly name: string;
  readonly penalty: number;
}

/** Messages in a voicemail box. */
export interface MailboxCount {
  readonly newMessages: number;
  readonly oldMessages: number;
}

/** A verb of {@link Pbx}: what it can be told, or asked. */
export type Verb = {
  [K in keyof Pbx]: Pbx[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[Exclude<keyof Pbx, 'start' | 'stop'>];

/** What the telephone system lets this bridge do: the rights of its account, and the modules that are loaded. */
export interface Abilities {
  /** False until the telephone system has said so once. While it is away, what it said last stands. */
  readonly known: boolean;
  /** Names of the actions that this verb lacks; empty where it lacks none, and where nothing is known. */
  lacks(verb: Verb): readonly string[];
}

/**
 * One telephone system. Every verb rejects with `Failure`: `pbx-unavailable` while the control connection is away (nothing
 * is queued) and when it drops before the answer, `rejected` with Asterisk's own sentence, `no-such-channel`,
 * `not-permitted` where the AMI account lacks the right; with `StanzaError` `remote-server-timeout` when
 * no answer comes within the adapter's action deadline. A number that the dialplan does not have is `invalid-target`, before
 * anything happens. Values that AMI cannot carry (CR, LF, NUL, over-long) are refused
 * with `Failure` `invalid-target` and nothing is sent.
 */
export interface Pbx {
  readonly id: PbxId;
  readonly state: PbxState;
  /** Up to date whenever {@link onState} tells that actions can be carried out. */
  readonly abilities: Abilities;
  /** Begins to connect, for ever, with backoff. Resolves when both connections were up once, or with {@link stop}; never rejects. */
  start(): Promise<void>;
  /** Fails what is pending, closes, never connects again. */
  stop(): Promise<void>;
  onState(listener: (state: PbxState) => void): () => void;
  /** Reads the state anew, for other channels count now: another `snapshot` comes. Nothing where the feed is away: one comes then anyway. */
  reread(): void;
  /** The event road: called synchronously, in order. One listener; the bridge. */
  onEvent(listener: (event: PbxEvent) => void): void;
  /**
   * Resolves when the telephone system has accepted the call; what becomes of it, the events tell. `device-unavailable` where
   * it says at once that there is nothing to ring.
   */
  originate(call: Originate): Promise<void>;
  /** `rejected`: a ringing telephone is told that its user declined; without, the call just ends. */
  hangup(channel: ChannelId, reason?: 'rejected'): Promise<void>;
  /** Blind transfer by the channel of the one who transfers: its bridged peer goes to the extension. */
  blindTransfer(channel: ChannelId, context: string, exten: string): Promise<void>;
  /** Sends a channel to an extension, wherever it is now; `other`, whom it talks to, goes there with it. */
  redirect(channel: ChannelId, context: string, exten: string, other?: ChannelId): Promise<void>;
  /**
   * Rings the device; when it answers, it takes the call that rings on `channel`. Where that ends before, or somebody else answers
   * it, the device rings no more. The telephone system does not ask whether
   * the two share a pickup group: the caller of this verb has.
   */
  pickup(call: Ring, channel: ChannelId): Promise<void>;
  /** Rings the device; when it answers, it joins the call of `channel` until that ends. */
  listen(call: Ring, channel: ChannelId, mode: ListenMode): Promise<void>;
  /**
   * Plays what the extension plays to both parties of the channel's call, and returns when it has begun. `rejected` where the
   * extension does not answer.
   */
  announce(channel: ChannelId, context: string, exten: string): Promise<void>;
  /**
   * Holds the channel's other party and lets the channel consult the extension. `rejected` while it begins to consult already.
   */
  attendedTransfer(channel: ChannelId, context: string, exten: string): Promise<void>;
  /** Whether the channel consults somebody while its other party waits, however that was begun ({@link attendedTransfer}, keys). */
  consults(channel: ChannelId): Promise<boolean>;
  /**
   * Ends the consultation; the channel has left it and returns to who waits. Only for a channel that {@link consults}. `rejected` where the telephone
   * system did not do so.
   */
  cancelTransfer(channel: ChannelId): Promise<void>;
  /** Connects two channels of different calls with each other; the ones that they talked to end. */
  join(one: ChannelId, other: ChannelId): Promise<void>;
  /**
   * Parks a channel in a lot (default: the telephone system's), in the name of `parker`, to whom it goes back. Resolves with
   * where it waits; the parker's own channel has ended then. `rejected` where there is no such lot or no room in it.
   */
  park(channel: ChannelId, parker: ChannelId, lot?: string): Promise<ParkedCall>;
  /** Calls that wait in a lot, or in all of them. `rejected` where there is no such lot. */
  parkedCalls(lot?: string): Promise<readonly ParkedCall[]>;
  /**
   * Sends DTMF digits one after the other: out of the channel to its far end, or, as `received`, as if that had pressed the keys.
   */
  sendDigits(channel: ChannelId, digits: string, as: 'sent' | 'received'): Promise<void>;
  mute(channel: ChannelId, direction: MuteDirection, muted: boolean): Promise<void>;
  /**
   * Records what a channel says and hears, as long as it talks to somebody, into a new file (absolute path, as the telephone system sees
   * it). It ends with the channel at the latest. Whether the file can be written, the telephone system does not say.
   */
  record(channel: ChannelId, file: string): Promise<RecordingHandle>;
  /** Ends a recording. `rejected` where there is none (any more). */
  stopRecording(channel: ChannelId, handle: RecordingHandle): Promise<void>;
  /** Writes silence in place of both parties, or their voices again. */
  muteRecording(channel: ChannelId, handle: RecordingHandle, muted: boolean): Promise<void>;
  /**
   * Sends a SIP NOTIFY (RFC 6665) to the contacts of a device, or `inside` the call of one of its channels: `talk` answers, takes off hook or takes
   * back what is held, `hold` puts on hold. What the telephone makes of it, only its events tell. Besides the usual: `not-supported` where
   * the device is none of PJSIP, or Asterisk has no res_pjsip_notify.
   */
  notify(device: DeviceName, what: Notification, inside?: ChannelId): Promise<void>;
  /** Conference rooms that are in use, with who is in them; none where app_confbridge is not loaded. */
  conferences(): Promise<readonly Conference[]>;
  conferenceKick(room: string, channel: ChannelId): Promise<void>;
  conferenceMute(room: string, channel: ChannelId, muted: boolean): Promise<void>;
  /** Lets nobody else in, or everybody again. */
  conferenceLock(room: string, locked: boolean): Promise<void>;
  /** Sends an event of the operator's own to everything that listens to the telephone system. */
  userEvent(name: string, fields: ReadonlyMap<string, string>): Promise<void>;
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
  /** Sets the state of a device of the operator's own (func_devstate: `Custom:…`), such as a lamp that telephones watch. */
  setDeviceState(device: DeviceName, state: 'BUSY' | 'NOT_INUSE'): Promise<void>;
  /** The members of every queue; empty where app_queue is not loaded. */
  queueMembers(): Promise<readonly QueueMember[]>;
  /**
   * Begins or ends the break of a member (its `interface`) in one queue. The reason may be empty. This and the next two resolve when
   * the events have told of it, where they do so soon. Failures besides: `no-such-queue`, `already-logged-in`, `not-logged-in`,
   * `static-member`.
   */
  queuePause(queue: string, member: string, paused: boolean, reason: string): Promise<void>;
  /** Makes somebody a member of a queue. */
  queueAdd(login: QueueLogin): Promise<void>;
  /** Ends a dynamic membership. */
  queueRemove(queue: string, member: string): Promise<void>;
  /** Counters of a queue; undefined where there is no such queue. */
  queueCounters(queue: string): Promise<QueueCounters | undefined>;
  /**
   * Has the state of all queues told again, as an event `queues`, for what Asterisk changes without an event: priorities of callers, and
   * what a reload brings. Resolves when it was told. Several at a time share one reading.
   */
  tellQueues(): Promise<void>;
}
