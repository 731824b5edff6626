/** Whether somebody may do what they ask for. The sentences are for the person who asked. */

import type { Calls } from '../calls/calls.ts';
import type { Directory, User } from '../directory.ts';
import { fail } from '../errors.ts';
import { createRateLimit, type RateLimit } from '../rate.ts';
import type { Policy } from './policy.ts';

/** What the rules look at. */
export interface Situation {
  readonly directory: Directory;
  readonly calls: Calls;
  /** Epoch milliseconds. */
  now(): number;
}

/** The rules, with what they remember: how often who dialed lately. */
export interface Rules {
  /** Lets a call to this number begin, or go on to it. Throws `Failure` `not-permitted`. Counts it where it is let through. */
  permitDial(user: User, number: string, situation: Situation): void;
}

/** Users whose dials are counted. */
const remembered = 10_000;

/** Makes the rules; what they say comes from the directory's policy at the time they are asked. */
export function createRules(monotonic: () => number): Rules {
  // A new policy is a new object: its limits begin with full buckets.
  const counters = new WeakMap<Policy, Counters>();
  function countersOf(policy: Policy): Counters {
    const known = counters.get(policy);
    if (known !== undefined) return known;
    const made = createCounters(policy, monotonic);
    counters.set(policy, made);
    return made;
  }

  return {
    permitDial(user, number, situation) {
      const { policy } = situation.directory;
      if (policy.always.some((pattern) => pattern.matches(number))) return;
      refuse(dialingRefusal(policy, user, number) ?? quietRefusal(policy, number, situation.now()));
      refuse(crowdRefusal(policy, user, situation));
      const { mine, all } = countersOf(policy);
      if (mine !== undefined && !mine.take(user.jid)) {
        refuse(`You may place at most ${policy.limits.dialsPerMinute} calls a minute: wait a moment.`);
      }
      if (all !== undefined && !all.take('all')) {
        refuse('Too many calls are being placed at the moment: wait a moment.');
      }
    },
  };
}

interface Counters {
  readonly mine: RateLimit<string> | undefined;
  readonly all: RateLimit<string> | undefined;
}

function createCounters({ limits }: Policy, monotonic: () => number): Counters {
  const perMinute = (count: number | undefined, keys: number) =>
    count === undefined
      ? undefined
      : createRateLimit<string>({ perSecond: count / 60, burst: count, keys, monotonic });
  return {
    mine: perMinute(limits.dialsPerMinute, remembered),
    all: perMinute(limits.dialsPerMinuteTotal, 1),
  };
}

function refuse(why: string | undefined): void {
  if (why !== undefined) fail('not-permitted', why);
}

/** Why the user's role does not let this number be dialed; undefined where it does. */
export function dialingRefusal(policy: Policy, user: User, number: string): string | undefined {
  const own = policy.dialing.filter((rule) => [...rule.roles].some((role) => user.roles.has(role)));
  if (own.some((rule) => rule.allow.some((pattern) => pattern.matches(number)))) return undefined;
  const denied = own.flatMap((rule) => rule.deny).find((pattern) => pattern.matches(number));
  if (denied === undefined) return undefined;
  return `You are not allowed to dial ${number} (rule ${denied.text}); ask your administrator if you need to.`;
}

/** Why the hour does not let this number be dialed; undefined where it does. */
function quietRefusal(policy: Policy, number: string, now: number): string | undefined {
  const quiet = policy.quietHours;
  if (quiet === undefined || quiet.allow.some((pattern) => pattern.matches(number))) return undefined;
  const minute = minuteOfDay(now, policy.timeZone);
  const inside =
    quiet.from <= quiet.to
      ? minute >= quiet.from && minute < quiet.to
      : minute >= quiet.from || minute < quiet.to;
  if (!inside) return undefined;
  return `From ${clock(quiet.from)} to ${clock(quiet.to)} only some numbers may be dialed, and ${number} is none of them.`;
}

function crowdRefusal({ limits }: Policy, user: User, { calls }: Situation): string | undefined {
  const own = user.devices.reduce((sum, device) => sum + calls.channelsOf(device.device).length, 0);
  if (limits.callsPerUser !== undefined && own >= limits.callsPerUser) {
    return `You have ${own} calls already, and may have ${limits.callsPerUser} at a time: end one first.`;
  }
  if (limits.calls !== undefined && calls.channels().length >= limits.calls) {
    return 'The telephone system is busy: try again when somebody has hung up.';
  }
  return undefined;
}

/** Minutes since midnight on the clocks of a time zone. */
function minuteOfDay(now: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value ?? 0);
  return part('hour') * 60 + part('minute');
}

function clock(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/**
 * Whether a supervisor's reach includes this user: everybody, or where the policy says so only who shares a group. Undefined
 * is somebody who is no user of ours, such as the far end of a trunk.
 */
export function reaches(supervisor: User, other: User | undefined, policy: Policy): boolean {
  if (!policy.supervisorsWithinGroups) return true;
  if (other === undefined) return false;
  return other.jid === supervisor.jid || [...other.groups].some((group) => supervisor.groups.has(group));
}

/** Whether a supervisor is told of what concerns these users: of what is told to anybody within their reach, and of nothing else. */
export function hears(supervisor: User, concerned: readonly User[], policy: Policy): boolean {
  return !policy.supervisorsWithinGroups || concerned.some((user) => reaches(supervisor, user, policy));
}
