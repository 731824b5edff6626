/** Why a call ended, as its user sees it: the tokens of `eventDetails` on `hangup`. */

import type { Call, Leg } from './leg.ts';

/** The tokens; `unknown` where a call ended while the feed was away. */
export type HangupToken =
  | 'normal'
  | 'busy'
  | 'noanswer'
  | 'cancelled'
  | 'rejected'
  | 'answered-elsewhere'
  | 'redirected'
  | 'unreachable'
  | 'failed'
  | 'unknown';

// causes.h (Q.850). 0, 16, 31 and 127 say nothing: Asterisk uses them for ends of every kind.
const byCause = new Map<number, HangupToken>([
  [1, 'unreachable'],
  [2, 'unreachable'],
  [3, 'unreachable'],
  [17, 'busy'],
  [18, 'noanswer'],
  [19, 'noanswer'],
  [20, 'unreachable'],
  [21, 'rejected'],
  [22, 'unreachable'],
  [23, 'redirected'],
  [26, 'answered-elsewhere'],
  [27, 'unreachable'],
  [28, 'unreachable'],
  [29, 'failed'],
  [34, 'failed'],
  [38, 'failed'],
  [41, 'failed'],
  [42, 'failed'],
  [44, 'failed'],
  [50, 'failed'],
  [52, 'failed'],
  [54, 'failed'],
  [57, 'failed'],
  [58, 'failed'],
  [65, 'failed'],
  [66, 'failed'],
  [69, 'failed'],
  [81, 'failed'],
  [88, 'failed'],
  [95, 'failed'],
  [96, 'failed'],
  [97, 'failed'],
  [98, 'failed'],
  [99, 'failed'],
  [100, 'failed'],
  [101, 'failed'],
  [102, 'noanswer'],
  [111, 'failed'],
]);

// DIALSTATUS (app_dial.c).
const byStatus = new Map<string, HangupToken>([
  ['BUSY', 'busy'],
  ['NOANSWER', 'noanswer'],
  ['CANCEL', 'cancelled'],
  ['CONGESTION', 'failed'],
  ['CHANUNAVAIL', 'unreachable'],
  ['DONTCALL', 'rejected'],
  ['TORTURE', 'rejected'],
  ['INVALIDARGS', 'failed'],
]);

const normalClearing = 16;

/** Why somebody who was consulted did not answer; empty where the cause says nothing of the kind. */
export function consultationToken(cause: number): HangupToken | '' {
  return byCause.get(cause) ?? '';
}

/** Why this leg's call ended; `cause` is that of its Hangup. */
export function hangupToken(leg: Leg, cause: number): HangupToken {
  const call = leg.call;
  if (call === undefined) return 'normal';
  if (call.phase === 'busy') return afterAnswer(leg, call, cause);
  if (leg.forwarded) return 'redirected';
  if (leg.lost) return 'answered-elsewhere';
  if (!call.outbound) return call.origin && leg.state !== 'up' ? ofTaking(leg, cause) : ofCalled(leg, cause);
  // A consulting call that became somebody else's has done what it was for.
  if (call.transfer !== '') return 'normal';
  if (call.origin && leg.state !== 'up') return ofOriginated(leg, cause);
  return ofCaller(leg, cause);
}

function afterAnswer(leg: Leg, call: Call, cause: number): HangupToken {
  if (leg.requested !== undefined) return 'normal';
  // Transferred, and the new target did not answer: the call ended with that.
  if (leg.dialResult !== '' && leg.dialResult !== 'ANSWER' && leg.dialResult !== 'CANCEL') {
    return byCause.get(cause) ?? byStatus.get(leg.dialResult) ?? 'normal';
  }
  // Transferred to where nothing was rung.
  if (call.transfer !== '') return byCause.get(cause) ?? 'normal';
  return byCause.get(cause) === 'failed' ? 'failed' : 'normal';
}

function ofCalled(leg: Leg, cause: number): HangupToken {
  // The device said so itself; where its cause says nothing, the user pressed a key.
  if (leg.requested !== undefined) return byCause.get(leg.requested || cause) ?? 'rejected';
  if (cause === 26 || cause === 23 || cause === 21 || cause === 17) return byCause.get(cause) ?? 'rejected';
  const caller = leg.dialedBy;
  if (leg.dialStatus === '' && caller?.requested !== undefined) return 'cancelled';
  return (
    byStatus.get(leg.dialStatus) ?? byCause.get(cause) ?? (caller === undefined ? 'cancelled' : 'noanswer')
  );
}

// What a caller is refused with, and never gives as a reason of its own: busy, congestion.
const refused: ReadonlySet<number> = new Set([17, 34]);

function ofCaller(leg: Leg, cause: number): HangupToken {
  // Busy and Congestion refuse the call for the telephone, which is how the telephone comes to ask for the end.
  if (leg.requested !== undefined && !refused.has(leg.requested || cause)) return 'cancelled';
  const told = byCause.get(cause);
  if (told !== undefined && told !== 'answered-elsewhere') return told;
  return byStatus.get(leg.dialResult) ?? (leg.dials.size > 0 ? 'noanswer' : 'failed');
}

function ofOriginated(leg: Leg, cause: number): HangupToken {
  if (leg.requested !== undefined) return byCause.get(leg.requested || cause) ?? 'rejected';
  // A timeout of Originate has no DialEnd and no cause of its own.
  return byCause.get(cause) ?? 'noanswer';
}

/** Rung to take a call. Where that has ended otherwise, the bridge ends this one with the cause of it. */
function ofTaking(leg: Leg, cause: number): HangupToken {
  return cause === normalClearing && leg.requested === undefined ? 'cancelled' : ofOriginated(leg, cause);
}
