/**
 * What a telephone system tells, freed of its wire: the input of the call model.
 * Names are unescaped, `<unknown>` and `(null)` are empty strings. Every event that concerns a channel carries
 * that channel's present particulars, as Asterisk's channel snapshots do.
 */

import type { ChannelId, DeviceName, ListedQueue, QueueMember } from './pbx.ts';

/** Asterisk's channel states (channelstate.h) that matter here. */
export type ChannelState = 'down' | 'ring' | 'ringing' | 'up' | 'busy' | 'other';

/** A channel at the moment of an event. */
export interface Channel {
  readonly name: ChannelId;
  /** Never changes in the life of a channel; the key of the call model. */
  readonly uniqueId: string;
  /** Groups the legs of one call; changes when calls are joined. */
  readonly linkedId: string;
  readonly state: ChannelState;
  readonly callerNumber: string;
  readonly callerName: string;
  readonly connectedNumber: string;
  readonly connectedName: string;
  readonly context: string;
  readonly exten: string;
}

/** A mixing bridge. */
export interface Bridge {
  readonly id: string;
  /** `basic`, `parking`, `base`, `stasis`, `holding`, … (bridge_technology.h users). */
  readonly type: string;
  readonly size: number;
}

/** What the events below hold besides: when it was received or, where Asterisk stamps its events, sent. Epoch milliseconds. */
interface At {
  readonly at: number;
}

/** One event. The union is closed: what is not in it is not translated and costs next to nothing. */
export type PbxEvent =
  | (At & { readonly type: 'channel-new'; readonly channel: Channel })
  /** State, caller ID or connected line of a channel are new. */
  | (At & { readonly type: 'channel-update'; readonly channel: Channel })
  | (At & {
      readonly type: 'application';
      readonly channel: Channel;
      readonly application: string;
      readonly data: string;
    })
  | (At & {
      readonly type: 'dial-begin';
      readonly caller: Channel | undefined;
      readonly dest: Channel;
      readonly dialString: string;
    })
  | (At & {
      readonly type: 'dial-state';
      readonly caller: Channel | undefined;
      readonly dest: Channel;
      readonly status: string;
    })
  | (At & {
      readonly type: 'dial-end';
      readonly caller: Channel | undefined;
      readonly dest: Channel;
      /** DIALSTATUS of app_dial: `ANSWER`, `BUSY`, `NOANSWER`, `CANCEL`, `CONGESTION`, `CHANUNAVAIL`, … */
      readonly status: string;
      /** Where a 302 sent the call; empty where it did not. */
      readonly forward: string;
    })
  | (At & {
      readonly type: 'bridge-enter';
      readonly channel: Channel;
      readonly bridge: Bridge;
      readonly swaps: string;
    })
  | (At & { readonly type: 'bridge-leave'; readonly channel: Channel; readonly bridge: Bridge })
  /** Only announces: the channels that move leave and enter with events of their own. */
  | (At & { readonly type: 'bridge-merge'; readonly to: Bridge; readonly from: Bridge })
  | (At & { readonly type: 'bridge-destroy'; readonly bridge: Bridge })
  | (At & { readonly type: 'hold' | 'unhold'; readonly channel: Channel })
  | (At & { readonly type: 'hangup-request'; readonly channel: Channel; readonly cause: number | undefined })
  /** `cause`: Q.850 as Asterisk maps it (causes.h), 0 where unknown. `priority`: see `queue-leave`. */
  | (At & {
      readonly type: 'hangup';
      readonly channel: Channel;
      readonly cause: number;
      readonly priority?: number;
    })
  | (At & {
      readonly type: 'blind-transfer';
      readonly transferer: Channel;
      readonly transferee: Channel | undefined;
      readonly exten: string;
      readonly success: boolean;
    })
  | (At & {
      readonly type: 'attended-transfer';
      /** The transferer's leg to the transferee, and its leg to the target; one channel where it was one. */
      readonly first: Channel;
      readonly second: Channel;
      readonly transferee: Channel | undefined;
      readonly target: Channel | undefined;
      readonly success: boolean;
    })
  | (At & { readonly type: 'pickup'; readonly channel: Channel; readonly target: Channel })
  | (At & { readonly type: 'local-bridge'; readonly one: Channel; readonly two: Channel })
  | (At & { readonly type: 'local-optimized'; readonly one: Channel; readonly two: Channel })
  | (At & {
      readonly type: 'parked' | 'unparked' | 'park-timeout' | 'park-gave-up';
      readonly parkee: Channel;
      /** Device that parked, e.g. `PJSIP/370`. */
      readonly parker: string;
      readonly retriever: Channel | undefined;
      readonly lot: string;
      readonly space: string;
      /** Seconds until the call goes back. */
      readonly timeout: number;
    })
  | (At & {
      readonly type: 'queue-join' | 'queue-leave' | 'queue-abandon';
      readonly channel: Channel;
      readonly queue: string;
      /** From 1; the caller's place before it left. */
      readonly position: number;
      /** How many wait after the event. Not told of those who give up. */
      readonly count: number;
      /** Where the channel is in the dialplan, from 1; 0 where that was not told. */
      readonly priority?: number;
    })
  /** Everything but device states, which are no news here. */
  | (At & {
      readonly type: 'queue-member-added' | 'queue-member-removed' | 'queue-member-changed';
      readonly member: QueueMember;
    })
  /** The whole truth about queues, after each (re)connect and when it was asked for: follows the `snapshot` then. */
  | (At & {
      readonly type: 'queues';
      readonly queues: readonly ListedQueue[];
      /** When Asterisk started, epoch milliseconds; left out where it did not say. */
      readonly started?: number | undefined;
      /** What arrived while the list was being read, in order: to be applied on top. */
      readonly meanwhile: readonly PbxEvent[];
    })
  /** A module, or `All` of them, read its configuration again. */
  | (At & { readonly type: 'reload'; readonly module: string })
  | (At & {
      readonly type: 'agent-called' | 'agent-connect' | 'agent-complete' | 'agent-ring-no-answer';
      readonly caller: Channel;
      readonly dest: Channel;
      readonly queue: string;
      /** The member's interface as app_queue knows it, e.g. `Local/370@internal/n`. */
      readonly interface: string;
    })
  | (At & {
      readonly type: 'conference-join' | 'conference-leave' | 'conference-mute' | 'conference-unmute';
      readonly channel: Channel;
      readonly conference: string;
    })
  | (At & {
      readonly type: 'spy-start' | 'spy-stop';
      readonly spyer: Channel;
      readonly spyee: Channel | undefined;
    })
  | (At & {
      readonly type: 'originate-response';
      readonly success: boolean;
      readonly uniqueId: string;
      readonly channel: string;
      /** Application that the answered channel runs; empty where it goes into the dialplan. */
      readonly application: string;
      /** ast_control reason of app_originate; 0 where Asterisk does not say. */
      readonly reason: number;
    })
  /** Device state (devicestate.h): `NOT_INUSE`, `INUSE`, `RINGING`, `ONHOLD`, `UNAVAILABLE`, … */
  | (At & { readonly type: 'device-state'; readonly device: DeviceName; readonly state: string })
  | (At & {
      readonly type: 'message-waiting';
      readonly mailbox: string;
      readonly newMessages: number;
      readonly oldMessages: number;
    })
  /** The dialplan has changed call deflections or do-not-disturb of an extension in the AstDB. */
  | (At & { readonly type: 'deflection'; readonly extension: string })
  /** The feed is gone; what is known grows old from here. */
  | (At & { readonly type: 'feed-down' })
  /** Asterisk said that it stops; every channel's hangup came before. */
  | (At & { readonly type: 'shutdown'; readonly restarts: boolean })
  /** The whole truth after a (re)connect. Replaces the state; the difference is what is told. */
  | (At & { readonly type: 'snapshot'; readonly snapshot: Snapshot });

/** A channel in a snapshot, with what only lists tell. */
export interface SnapshotChannel extends Channel {
  /** Application that runs on it: `AppDial`, `AppQueue` = called leg; `Dial`, `Queue`, … = calling leg. */
  readonly application: string;
  readonly applicationData: string;
  readonly bridgeId: string;
  /** Seconds since the channel was made. */
  readonly seconds: number;
}

/** A conference room in a snapshot. */
export interface ListedRoom {
  readonly room: string;
  readonly locked: boolean;
  readonly members: readonly { readonly channel: Channel; readonly muted: boolean }[];
}

/** The state of a telephone system, gathered from list actions while events went on. */
export interface Snapshot {
  readonly channels: readonly SnapshotChannel[];
  readonly bridges: readonly (Bridge & { readonly channels: readonly string[] })[];
  readonly devices: ReadonlyMap<DeviceName, string>;
  /** The rooms in use; left out where they were not asked for. */
  readonly conferences?: readonly ListedRoom[];
  /** What arrived while the lists were being read, in order: to be applied on top. */
  readonly meanwhile: readonly PbxEvent[];
}
