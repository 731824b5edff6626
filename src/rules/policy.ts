/** What the operator allows: the part of the directory file that is not about people. Types, and the policy that allows nothing extra. */

import type { Role } from '../directory.ts';
import type { ListenMode } from '../pbx/pbx.ts';
import type { NumberPattern } from './pattern.ts';

/** Who may dial what. Of several rules that apply to a user, any that allows a number wins over all that deny it. */
export interface DialingRule {
  /** The rule applies to users who have one of these. */
  readonly roles: ReadonlySet<Role>;
  readonly allow: readonly NumberPattern[];
  readonly deny: readonly NumberPattern[];
}

/** A time of day in which little may be dialed; may cross midnight. */
export interface QuietHours {
  /** Minutes since midnight, 0 to 1439. */
  readonly from: number;
  readonly to: number;
  /** What may be dialed nevertheless. */
  readonly allow: readonly NumberPattern[];
}

/** How much at a time. Undefined: as much as anybody likes. */
export interface DialLimits {
  readonly callsPerUser: number | undefined;
  readonly calls: number | undefined;
  readonly dialsPerMinute: number | undefined;
  readonly dialsPerMinuteTotal: number | undefined;
}

/** An argument of a custom action, as the configuration declares it. */
export interface ActionArgument {
  readonly optional: boolean;
  /** One of these; undefined: not a list. */
  readonly values: readonly string[] | undefined;
  /** Matches as a whole; undefined: any printable text. */
  readonly pattern: RegExp | undefined;
  /** Characters at the most. */
  readonly max: number;
}

/** What a custom action does. */
export type ActionEffect =
  | {
      readonly kind: 'webhook';
      readonly url: string;
      /** Key of the HMAC-SHA256 signature; empty: not signed. */
      readonly secret: string;
      readonly timeoutMs: number;
      /** Further attempts after the first, 0 to 3. */
      readonly retries: number;
    }
  | { readonly kind: 'userEvent'; readonly event: string }
  | { readonly kind: 'originate'; readonly exten: string; readonly context: string | undefined };

/** A custom action (`xmppuser.InvokeCustomAction`). */
export interface CustomAction {
  readonly name: string;
  /** Users with one of these may invoke it. */
  readonly roles: ReadonlySet<Role>;
  readonly arguments: ReadonlyMap<string, ActionArgument>;
  readonly effect: ActionEffect;
}

/** What may become of a call: recorded without asking, recorded where somebody asks for it, never recorded. */
export type RecordingPermission = 'auto' | 'allow' | 'deny';

/** Which calls may, must or must not be recorded, and who may ask for it. Everything that is named must hold. */
export interface RecordingRule {
  /** `ruleId`; unique. */
  readonly name: string;
  readonly permission: RecordingPermission;
  /** Whom the rule is about: who is one of these, is in one of the groups, or has one of the roles. None named at all: everybody. */
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly roles: ReadonlySet<Role>;
  /** Their own calls, or (only with `allow`) those of everybody with whom they share a group. */
  readonly calls: 'own' | 'group';
  readonly direction: 'inbound' | 'outbound' | undefined;
  /** The call came through one of these; empty: however it came. */
  readonly queues: ReadonlySet<string>;
  /** The other party's number; empty: any. */
  readonly numbers: readonly NumberPattern[];
}

/** Who may have a recording besides the one who started it: those whose voice it holds, and supervisors within whose reach one of them is. */
export type RecordingAudience = 'participants' | 'supervisors';

/** Recording of calls. */
export interface RecordingPolicy {
  /** In order: the first that fits a person's call counts. */
  readonly rules: readonly RecordingRule[];
  /** Extension that tells the parties before anything is recorded. */
  readonly announce: string | undefined;
  readonly audience: ReadonlySet<RecordingAudience>;
}

/** Everything the operator allows or forbids. */
export interface Policy {
  /** `base.DialFrom` is there. */
  readonly dialFrom: boolean;
  /** What `base.Listen` may do, and the extension that tells the parties; undefined: it is not there. */
  readonly listen:
    | { readonly modes: ReadonlySet<ListenMode>; readonly announce: string | undefined }
    | undefined;
  /** Recording of calls; undefined: there is none. */
  readonly recording: RecordingPolicy | undefined;
  /** Templates of pjsip_notify.conf that `phone.Notify` may send; empty: it is not there. */
  readonly notify: ReadonlySet<string>;
  /** Supervisors reach only users with whom they share a group. */
  readonly supervisorsWithinGroups: boolean;
  /** Nothing stops these: emergency numbers. */
  readonly always: readonly NumberPattern[];
  readonly dialing: readonly DialingRule[];
  readonly quietHours: QuietHours | undefined;
  /** IANA time zone of the quiet hours. */
  readonly timeZone: string;
  readonly limits: DialLimits;
  readonly actions: ReadonlyMap<string, CustomAction>;
  /** Conference rooms by name: the extension that leads into each. */
  readonly conferences: ReadonlyMap<string, string>;
  /** Reasons for a break in queues, by their codes; empty: there are no breaks. */
  readonly pauseReasons: ReadonlyMap<string, string>;
  /** `customData` of everybody, and by user name. */
  readonly customData: ReadonlyMap<string, string>;
  readonly customDataOf: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** What holds without a configuration: everything dangerous is off, nothing is forbidden besides. */
export const defaultPolicy: Policy = {
  dialFrom: false,
  listen: undefined,
  recording: undefined,
  notify: new Set(),
  supervisorsWithinGroups: false,
  always: [],
  dialing: [],
  quietHours: undefined,
  timeZone: 'UTC',
  limits: {
    callsPerUser: undefined,
    calls: undefined,
    dialsPerMinute: undefined,
    dialsPerMinuteTotal: undefined,
  },
  actions: new Map(),
  conferences: new Map(),
  pauseReasons: new Map(),
  customData: new Map(),
  customDataOf: new Map(),
};
