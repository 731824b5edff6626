/** What may be dialed: the grammar that stands between a client's text and the dialplan. */

import type { Directory } from '../directory.ts';
import { badRequest, type FailureCode, fail } from '../errors.ts';
import { parseJid } from '../protocol/jid.ts';
import type { Settings } from './define.ts';

// Digits, star, hash, and one leading plus; ASCII only. Nothing in it means anything to a dialplan or to AMI.
const dialable = /^\+?[0-9*#]{1,40}$/;

// What people and web pages put between digits (RFC 3966 §5.1.1 visual separators, blanks and slashes).
const separators = /[\s().\-/\u00A0\u2010-\u2015]/g;

/** Where a call shall go, as a client said it. */
export interface Target {
  readonly target: string | undefined;
  readonly prefix: string | undefined;
  readonly viasetting?: string | undefined;
}

/**
 * The number that a target stands for: a number with its separators taken out, a user's extension for a JID, a configured
 * number for a setting, with the prefix in front that was asked for.
 *
 * Throws `Failure` `invalid-target`, `no-such-user`; `bad-request` where there is no target at all.
 */
export function resolveNumber(request: Target, directory: Directory, settings: Settings): string {
  if (request.viasetting !== undefined) return fromSetting(request.viasetting, directory);
  if (request.target === undefined) badRequest("attribute 'target' or 'viasetting' is missing");
  if (request.target.includes('@')) return fromJid(request.target, directory);
  const number = checked(request.target.replace(separators, ''), 'invalid-target', request.target);
  const dialed = withPrefix(number, request.prefix, directory, settings);
  // The number's own plus stays behind the prefix (`0+49…`): trunks want it, once the dialplan has taken the prefix off.
  checked(dialed.replace('+', ''), 'invalid-target', request.target);
  return dialed;
}

function fromSetting(name: string, directory: Directory): string {
  const number = directory.settings.get(name);
  if (number === undefined) fail('invalid-target', `There is no number configured for '${short(name)}'.`);
  return checked(number, 'invalid-target', number);
}

function fromJid(target: string, directory: Directory): string {
  const jid = parseJid(target);
  const user = jid === undefined ? undefined : directory.byJid(jid.bare);
  if (user === undefined)
    fail('no-such-user', `Nobody with the address '${short(target)}' has a telephone here.`);
  return checked(user.extension, 'invalid-target', target);
}

function withPrefix(
  number: string,
  prefix: string | undefined,
  directory: Directory,
  settings: Settings,
): string {
  // Codes of the telephone system (*100, #1) are never outside numbers.
  const internal = directory.byExtension(number) !== undefined || /^[*#]/.test(number);
  const wanted = prefix !== 'auto' ? (prefix ?? '') : internal ? '' : settings.outsidePrefix;
  // No exchange understands a plus behind other digits.
  return wanted === '' ? number : wanted + number.replace(/^\+/, settings.internationalPrefix);
}

function checked(number: string, code: FailureCode, asGiven: string): string {
  if (!dialable.test(number)) {
    fail(
      code,
      `'${short(asGiven)}' cannot be dialed: a number has 1 to 40 digits, '*' or '#', and may begin with '+'.`,
    );
  }
  return number;
}

/** Somebody's text, cut so that it can stand in a sentence. */
function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
