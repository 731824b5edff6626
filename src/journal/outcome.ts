/** How a call ended for a user, of all that the user's channels heard. */

import type { Result } from './entry.ts';

/** The end of one channel: the token of its `hangup`, and whether it was answered. */
export interface End {
  readonly token: string;
  readonly answered: boolean;
}

/** What became of a call. */
export interface Outcome {
  readonly result: Result;
  readonly details: string;
}

const called = new Map<string, Result>([
  ['answered-elsewhere', 'answered-elsewhere'],
  ['redirected', 'redirect'],
  ['rejected', 'rejected'],
  ['busy', 'busy'],
  ['failed', 'failed'],
  ['unreachable', 'failed'],
]);

const calling = new Map<string, Result>([
  ['busy', 'busy'],
  ['rejected', 'rejected'],
  ['redirected', 'redirect'],
  ['failed', 'failed'],
  ['unreachable', 'failed'],
]);

// A telephone that rang in vain says more than one that was busy meanwhile; what the user did says more than either.
const order: readonly Result[] = [
  'answered-elsewhere',
  'redirect',
  'rejected',
  'missed',
  'cancelled',
  'busy',
  'failed',
  'hangup',
];

/** The outcome of a user's part in a call. `ends`: at least one. */
export function outcomeOf(outbound: boolean, ends: readonly End[]): Outcome {
  if (ends.some(({ answered }) => answered)) return { result: 'hangup', details: '' };
  const outcomes = ends.map(({ token }) => ofToken(outbound, token));
  outcomes.sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  return outcomes[0] ?? { result: 'failed', details: '' };
}

function ofToken(outbound: boolean, token: string): Outcome {
  const result = (outbound ? calling : called).get(token) ?? (outbound ? 'cancelled' : 'missed');
  if (result === 'redirect') return { result, details: 'to' };
  return { result, details: token === result || token === 'normal' ? '' : token };
}
