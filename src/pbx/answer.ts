/** What Asterisk says when it refuses, and what that means to a caller of the port. */

import { Failure, StanzaError } from '../errors.ts';

// The sentences of manager.c, bridge_basic.c and res_pjsip's manager part, 16 to 22.
const noSuchChannel =
  /no such channel|channel\d? (specified )?does not exist|channel not (existent|found)|no channel by that name/i;
// action_originate
const noExtension = /^extension does not exist/i;
// action_redirect and action_bridge of a channel that is on its way elsewhere.
const onTheWay = /channel not up|unable to add channel/i;
const denied = /^permission denied/i;

/** Whether a refusal is for want of a right of the AMI account. */
export function isDenied(sentence: string): boolean {
  return denied.test(sentence);
}

/** Whether the refusal says that nobody registered such an action: its module is not loaded. */
export function isUnknownAction(sentence: string): boolean {
  return /^invalid\/unknown command/i.test(sentence);
}

/** The failure for an answer `Response: Error` with that `Message`. */
export function refusal(name: string, sentence: string): Failure {
  if (isDenied(sentence)) {
    return new Failure('not-permitted', `The telephone system does not allow this bridge to use ${name}.`);
  }
  if (noExtension.test(sentence)) return noSuchExtension();
  if (noSuchChannel.test(sentence))
    return new Failure('no-such-channel', 'There is no such channel any more.');
  if (onTheWay.test(sentence)) return overtaken();
  if (sentence === '')
    return new Failure('rejected', `The telephone system refused ${name} without a reason.`);
  return new Failure('rejected', sentence);
}

/** The failure where a call is on its way elsewhere already. */
export function overtaken(): Failure {
  return new Failure('rejected', 'The call has changed in the meantime: look at it, then try again.');
}

/** The failure for a number that the dialplan does not have. */
export function noSuchExtension(): Failure {
  return new Failure('invalid-target', 'There is no such number in this telephone system: check it.');
}

/** The failure while there is no connection, and for what was pending when it broke. */
export function unavailable(): Failure {
  return new Failure(
    'pbx-unavailable',
    'The telephone system cannot be reached at the moment. Try again later.',
  );
}

/** The error when no answer came in time. */
export function timedOut(name: string, ms: number): StanzaError {
  return new StanzaError(
    'remote-server-timeout',
    `The telephone system did not answer ${name} within ${ms / 1000} s.`,
  );
}

/** The error when a list does not end. */
export function tooMany(most: number): StanzaError {
  return new StanzaError(
    'resource-constraint',
    `The telephone system lists more than ${most} items: that is more than this bridge takes.`,
  );
}
