/**
 * What a caller may see. Everything else that is thrown is a defect: dispatch answers it with
 * `internal-server-error` and a reference, and logs the rest.
 */

/** The defined conditions of RFC 6120 §8.3.3: what this bridge answers with, and what others answer it. */
export type StanzaCondition =
  | 'bad-request'
  | 'conflict'
  | 'feature-not-implemented'
  | 'forbidden'
  | 'gone'
  | 'internal-server-error'
  | 'item-not-found'
  | 'jid-malformed'
  | 'not-acceptable'
  | 'not-allowed'
  | 'not-authorized'
  | 'policy-violation'
  | 'recipient-unavailable'
  | 'redirect'
  | 'registration-required'
  | 'remote-server-not-found'
  | 'remote-server-timeout'
  | 'resource-constraint'
  | 'service-unavailable'
  | 'subscription-required'
  | 'undefined-condition'
  | 'unexpected-request';

/** What the sender may do about an error (RFC 6120 §8.3.2). */
export type StanzaErrorType = 'auth' | 'cancel' | 'modify' | 'wait';

const errorTypes: Readonly<Record<StanzaCondition, StanzaErrorType>> = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
};

/** Whether a name on the wire is one of RFC 6120 §8.3.3. */
export function isStanzaCondition(name: string): name is StanzaCondition {
  return Object.hasOwn(errorTypes, name);
}

/** The stanza itself cannot be served: answered as an IQ of type `error` (RFC 6120 §8.3). */
export class StanzaError extends Error {
  override readonly name = 'StanzaError';
  /** @param type where the sender may do something else than is usual for the condition, e.g. `wait` */
  constructor(
    readonly condition: StanzaCondition,
    text: string,
    readonly type: StanzaErrorType = errorTypes[condition],
  ) {
    super(text);
  }
}

/**
 * Stable tokens of `base.Failure@code`. Each is part of the public protocol: never renamed, only added to.
 */
export type FailureCode =
  | 'already-exists'
  | 'already-logged-in'
  | 'already-paused'
  | 'device-busy'
  | 'device-unavailable'
  | 'invalid-target'
  | 'no-active-call'
  | 'no-device'
  | 'no-such-channel'
  | 'no-such-place'
  | 'no-such-queue'
  | 'no-such-reason'
  | 'no-such-record'
  | 'no-such-user'
  | 'not-available'
  | 'not-logged-in'
  | 'not-paused'
  | 'not-permitted'
  | 'not-recording'
  | 'not-supported'
  | 'pbx-unavailable'
  | 'rejected'
  | 'static-member';

/**
 * The request was understood, and the telephone system or the rules said no: answered as
 * `base.Failure` in an IQ of type `result`. The text is one English sentence that a person can act on.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    readonly code: FailureCode,
    text: string,
  ) {
    super(text);
  }
}

/** Refuses a request that was understood. Throws {@link Failure}, always. */
export function fail(code: FailureCode, text: string): never {
  throw new Failure(code, text);
}

/** Refuses a request as malformed. Throws {@link StanzaError} `bad-request`, always. */
export function badRequest(text: string): never {
  throw new StanzaError('bad-request', text);
}
