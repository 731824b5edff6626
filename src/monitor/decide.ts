/** What the rules say of a call: who may have it recorded, and whether it is without asking. No I/O. */

import type { ChannelView } from '../calls/changes.ts';
import type { User } from '../directory.ts';
import type { RecordingPermission, RecordingPolicy, RecordingRule } from '../rules/policy.ts';

/** One of our own people in a call. */
export interface Participant {
  readonly user: User;
  readonly view: ChannelView;
}

/** What a rule says. */
export interface Verdict {
  readonly permission: RecordingPermission;
  /** Name of the rule; empty where none says anything. */
  readonly ruleId: string;
}

const silence: Verdict = { permission: 'deny', ruleId: '' };

/**
 * What holds for one participant. The first rule that fits decides; where none does, they may not record. A rule that says `deny` for any of
 * the participants holds for all of them: whoever must not be recorded is not, whomever they talk to.
 */
export function verdict(policy: RecordingPolicy, one: Participant, all: readonly Participant[]): Verdict {
  for (const each of all) {
    const rule = ruleFor(policy, each);
    if (rule?.permission === 'deny') return { permission: 'deny', ruleId: rule.name };
  }
  const own = ruleFor(policy, one);
  return own === undefined ? silence : { permission: own.permission, ruleId: own.name };
}

/** The rule by which somebody who is not in the call may have it recorded; undefined where there is none. */
export function ruleForOthers(
  policy: RecordingPolicy,
  asking: User,
  all: readonly Participant[],
): RecordingRule | undefined {
  if (all.some((each) => ruleFor(policy, each)?.permission === 'deny')) return undefined;
  return policy.rules.find(
    (rule) =>
      rule.calls === 'group' &&
      isAbout(rule, asking) &&
      all.some(({ user, view }) => sharesGroup(asking, user) && fits(rule, view)),
  );
}

function ruleFor(policy: RecordingPolicy, { user, view }: Participant): RecordingRule | undefined {
  return policy.rules.find((rule) => rule.calls === 'own' && isAbout(rule, user) && fits(rule, view));
}

function isAbout(rule: RecordingRule, user: User): boolean {
  if (rule.users.size + rule.groups.size + rule.roles.size === 0) return true;
  return (
    rule.users.has(user.name.toLowerCase()) ||
    [...user.groups].some((group) => rule.groups.has(group)) ||
    [...user.roles].some((role) => rule.roles.has(role))
  );
}

function fits(rule: RecordingRule, view: ChannelView): boolean {
  if (rule.direction !== undefined && view.outbound !== (rule.direction === 'outbound')) return false;
  if (rule.queues.size > 0 && !rule.queues.has(view.queue)) return false;
  return rule.numbers.length === 0 || rule.numbers.some((each) => each.matches(view.other.number));
}

function sharesGroup(one: User, other: User): boolean {
  return [...one.groups].some((group) => other.groups.has(group));
}
