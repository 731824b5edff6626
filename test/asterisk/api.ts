/** The simulated PBX as tests, the demo and `npm run asterisk` see it. Nothing here imports from `src`. */

/** Number and name of a party; an absent part is sent as `<unknown>`. */
export interface Party {
  readonly number: string;
  readonly name?: string | undefined;
}

/** An AMI account, as a section of manager.conf. */
export interface AmiUser {
  readonly username: string;
  readonly secret: string;
  /** Event classes the account may read, such as `['call', 'agent']`; `['all']` for all. */
  readonly read: readonly string[];
  /** Action classes the account may use; `['all']` for all, `[]` for none. */
  readonly write: readonly string[];
  /** Regular expressions as in `eventfilter=`; a leading `!` drops what matches. */
  readonly filters?: readonly string[];
}

/** A telephone of the PBX: endpoint `PJSIP/<number>`, extension, hint and mailbox of the same number. */
export interface ExtensionSpec {
  /** Three digits that begin with 3: extension, endpoint and mailbox (the dialplan prefixes them, as in 9340). */
  readonly number: string;
  /** Caller-ID name of the endpoint. */
  readonly name: string;
  /** Name in voicemail.conf; `null` for no mailbox. Default: `name`. */
  readonly mailboxName?: string | null;
  /** SIP contacts that can register, each a device that can ring. Default 1, at most 2. */
  readonly devices?: number;
  /** Whether the telephone is registered at the start. Default true. */
  readonly registered?: boolean;
}

/** A queue; members are extension numbers. */
export interface QueueSpec {
  readonly name: string;
  /** The extension that leads into it. */
  readonly number: string;
  readonly members: readonly string[];
}

/**
 * What a telephone does by itself when it is called.
 * `ring`: nothing, the test decides. `answer`: takes the call after `after` ms. `noanswer`: rings until the Dial gives
 * up, after `after` ms. `busy`: 486. `decline`: 603.
 */
export type Behaviour =
  | 'ring'
  | 'busy'
  | 'decline'
  | { readonly answer: number }
  | { readonly noanswer: number };

/** One call as the telephone itself sees it: the truth to which the PBX's events are compared. */
export interface PhoneCall {
  /** Name of the telephone's channel, such as `PJSIP/340-00000001`. */
  readonly channel: string;
  readonly uniqueid: string;
  /** `calling`: dialled and not answered. `held`: this telephone pressed hold. */
  readonly state: 'ringing' | 'calling' | 'up' | 'held';
  /** The number and name in the telephone's display. */
  readonly number: string;
  readonly name: string;
}

/**
 * A telephone. Where a method takes `channel`, it may be left out when only one call qualifies; with none or
 * several it throws an Error that lists the calls.
 */
export interface Phone {
  readonly number: string;
  /** Caller-ID name of the endpoint. */
  readonly name: string;
  /** Such as `PJSIP/340`. */
  readonly endpoint: string;
  readonly registered: boolean;
  behaviour: Behaviour;
  register(): void;
  unregister(): void;
  /**
   * Dials. Returns the telephone's new channel, or undefined when the extension does not exist: Asterisk answers
   * 404 before there is a channel. Throws when the telephone is not registered.
   */
  call(number: string): string | undefined;
  /** Takes the ringing call. */
  answer(channel?: string): void;
  /** Refuses the ringing call with 603. */
  decline(channel?: string): void;
  /** Refuses the ringing call with 486. */
  busy(channel?: string): void;
  /** Lets the ringing call's Dial run into its time limit now. */
  timeout(channel?: string): void;
  /** Ends a call, whichever state it is in; a ringing call is declined. */
  hangup(channel?: string): void;
  hold(channel?: string): void;
  unhold(channel?: string): void;
  /** Blind transfer of the other party by SIP REFER. */
  transfer(number: string, channel?: string): void;
  /** `Event` of each SIP NOTIFY so far. `talk` makes the telephone answer where it rings. */
  readonly notified: readonly string[];
  /** The calls on the display. */
  state(): readonly PhoneCall[];
}

/** The outside world behind `PJSIP/trunk`; it answers numbers dialled as 0 + number. */
export interface Outside
  extends Omit<Phone, 'call' | 'register' | 'unregister' | 'registered' | 'number' | 'name'> {
  /**
   * Calls in through the trunk. `number` is the called number: 493012345 + extension, 4930123456 + extension,
   * 4930123455 (queue Support), or simply the extension. Returns the trunk's channel.
   */
  call(number: string, from?: Party): string | undefined;
}

/** A message received from an AMI client. */
export interface ReceivedAction {
  /** Id of the session, see {@link AmiSession}. */
  readonly session: number;
  /** Account that had logged in when it came; undefined before the login. */
  readonly user: string | undefined;
  /** Value of `Action`, '' when there is none. */
  readonly name: string;
  /** Every header in order, keys as sent. */
  readonly headers: readonly (readonly [string, string])[];
  /** First value of a header, any case; '' when absent. */
  header(name: string): string;
  /** The bytes of this message, blank line included. */
  readonly raw: Buffer;
  /** `ok`, or what was wrong with the framing. */
  readonly framing: 'ok' | 'line too long' | 'too many headers';
}

/** One AMI connection, living or gone. */
export interface AmiSession {
  readonly id: number;
  readonly user: string | undefined;
  readonly connected: boolean;
  /** Everything the client sent, in order; the newest 4 MB. */
  readonly received: Buffer;
}

/** Faults on demand. Where `user` may be given, only that account's connections are touched. */
export interface Faults {
  /** Destroys AMI connections. */
  drop(user?: string): void;
  /** Says nothing more, on old and on new connections; what would have been sent is lost. */
  mute(user?: string): void;
  unmute(): void;
  /** Limits the output of each connection; 0 for no limit. */
  slow(bytesPerSecond: number): void;
  /** Sends these bytes as they are. */
  garbage(bytes: string | Buffer, user?: string): void;
  /** Existing connections neither read nor write any more, nor notice that the client closes: a dead peer. */
  halfOpen(user?: string): void;
  /** Closes the listening port: connection refused. Existing connections stay. */
  refuse(): Promise<void>;
  /** Opens the same port again. */
  accept(): Promise<void>;
  /** Neither does nor answers actions of this name. */
  stall(action: string): void;
  /** Does actions of this name but does not answer; events still come. */
  swallow(action: string): void;
  /** Answers every action of this name with `Response: Error` and this message. */
  fail(action: string, message: string): void;
  /** Does and answers actions this many ms late; 0 for at once. */
  late(ms: number): void;
  /** Ends all faults. The port is opened again when it was closed. */
  clear(): Promise<void>;
}

/** A channel as `CoreShowChannels` would tell it. */
export interface ChannelSnapshot {
  readonly channel: string;
  readonly uniqueid: string;
  readonly linkedid: string;
  /** Asterisk's channel state: 0 Down, 4 Ring, 5 Ringing, 6 Up, 7 Busy. */
  readonly state: number;
  readonly callerId: Party;
  readonly connectedLine: Party;
  readonly exten: string;
  readonly application: string;
  readonly bridge: string | undefined;
}

/** A stream of calls for benchmarks, between telephones made for the purpose (1000 and up). */
export interface LoadSpec {
  readonly callsPerSecond: number;
  readonly calls: number;
  /** How long each call is up, ms. Default 200. */
  readonly talk?: number;
  /** How long each call rings, ms. Default 50. */
  readonly ring?: number;
  /** Called when the caller's channel exists. */
  onBegin?(caller: string, callee: string): void;
  /** Called after the Hangup of both legs. */
  onEnd?(caller: string, callee: string): void;
}

/** What a load run sent. */
export interface LoadReport {
  readonly calls: number;
  readonly events: number;
  readonly seconds: number;
}

/** What `startAsterisk` takes; every default is the PBX of the recordings. */
export interface AsteriskOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly users?: readonly AmiUser[];
  readonly extensions?: readonly ExtensionSpec[];
  readonly queues?: readonly QueueSpec[];
  /** VarSet and Newexten, most of what a real PBX sends, and SuccessfulAuth at each login. Default true. */
  readonly noise?: boolean;
  /** `systemname` of asterisk.conf: the SystemName header and the prefix of Uniqueid. '' for none. Default `sim`. */
  readonly systemName?: string;
  /** One line per connection, action and call. */
  log?(line: string): void;
}

/** A running simulated Asterisk. */
export interface Asterisk {
  readonly host: string;
  readonly port: number;
  readonly users: readonly AmiUser[];
  /** The telephones, in the order of their numbers. */
  readonly phones: readonly Phone[];
  /** A telephone by extension; `device` counts from 1. Throws when there is none. */
  phone(number: string, device?: number): Phone;
  readonly outside: Outside;
  readonly faults: Faults;
  /** Actions received since the start or since `forget`, oldest first; the newest 100,000. */
  readonly actions: readonly ReceivedAction[];
  /** Empties `actions` and the recordings of the sessions. */
  forget(): void;
  readonly sessions: readonly AmiSession[];
  channels(): readonly ChannelSnapshot[];
  /** Sends an arbitrary event to who may read `privilege` (such as `call`, the default). Values go out as given. */
  emit(event: string, headers: Readonly<Record<string, string>>, privilege?: string): void;
  /** Sets messages waiting of a mailbox (`340`), with MessageWaiting events. Throws when there is no such mailbox. */
  messages(mailbox: string, unread: number, read?: number): void;
  /** Members (extension numbers) of a queue who take a break. */
  paused(queue: string): readonly string[];
  /** Leaves a value in the AstDB, as DBPut would. */
  database: Map<string, string>;
  load(spec: LoadSpec): Promise<LoadReport>;
  /**
   * Resolves when `condition` holds; it is asked again after every action, event and connection.
   * Rejects after `ms` (default 10,000) with a description of the calls and connections.
   */
  until(condition: () => boolean, what?: string, ms?: number): Promise<void>;
  /** Ends every connection, call and timer. */
  stop(): Promise<void>;
}
