/** Our own people in a call, and what the rules say of them. No I/O. */

import type { Calls } from '../calls/calls.ts';
import type { ChannelView } from '../calls/changes.ts';
import type { Directory, User } from '../directory.ts';
import type { RecordingPolicy } from '../rules/policy.ts';
import { type Participant, ruleForOthers, type Verdict, verdict } from './decide.ts';
import type { Together } from './together.ts';

/** Who is in which call, as the directory and the calls have it at the moment. */
export interface Parties {
  /** The rules of recording; undefined where nothing is recorded. */
  policy(): RecordingPolicy | undefined;
  /** The user's channel of this unique id, if it was in a bridge. */
  viewOf(uniqueId: string): ChannelView | undefined;
  /** The channel at the other end. */
  otherOf(view: ChannelView | undefined): ChannelView | undefined;
  /** Our own people in the call of a channel. */
  participantsOf(view: ChannelView): readonly Participant[];
  /** Those whose voices are heard where this channel is: answered, and in its bridge or at the other end of a Local channel there. */
  companyOf(uniqueId: string): readonly Participant[];
  /** Whether the channel is in a bridge with somebody who has answered. */
  isTalking(uniqueId: string): boolean;
  /** Whether a rule says of one of these that they must not be recorded. */
  isDenied(company: readonly Participant[]): boolean;
  /** What holds for the user whose channel this is. */
  verdictOf(view: ChannelView): Verdict;
  /** The rule by which somebody may have a call of their group recorded; undefined where there is none. */
  ruleForOthers(asking: User, view: ChannelView): string | undefined;
}

/** Makes it. */
export function createParties(
  calls: Pick<Calls, 'channel'>,
  directory: () => Directory,
  together: Together,
): Parties {
  const policy = () => directory().policy.recording;

  function viewOf(uniqueId: string): ChannelView | undefined {
    const name = together.nameOf(uniqueId);
    const view = name && calls.channel(name);
    return view?.uniqueId === uniqueId ? view : undefined;
  }

  const otherOf = (view: ChannelView | undefined) =>
    view === undefined || view.refChannel === '' ? undefined : calls.channel(view.refChannel);

  function peopleOf(found: readonly (ChannelView | undefined)[]): readonly Participant[] {
    const known = directory();
    const views = new Map(found.flatMap((each) => (each ? [[each.uniqueId, each]] : [])));
    return [...views.values()].flatMap((each) => {
      const user = known.byDevice(each.device)?.user;
      return user === undefined ? [] : [{ user, view: each }];
    });
  }

  function participantsOf(view: ChannelView): readonly Participant[] {
    return peopleOf([view, otherOf(view), ...together.with(view.uniqueId).map(viewOf)]);
  }

  function companyOf(uniqueId: string): readonly Participant[] {
    const peers = together.with(uniqueId);
    const view = viewOf(uniqueId);
    const views = peers.map(viewOf);
    // A call's other party may be elsewhere, consulting a third one: only where the bridge has something else does it lead to them.
    const other = views.includes(undefined) ? otherOf(view) : undefined;
    return peopleOf([view, other, ...views]).filter((each) => each.view.state === 'busy');
  }

  function isTalking(uniqueId: string): boolean {
    const peers = together.with(uniqueId);
    if (peers.length === 0) return false;
    if (peers.some((each) => viewOf(each)?.state === 'busy')) return true;
    const other = otherOf(viewOf(uniqueId));
    return other === undefined || other.state === 'busy';
  }

  function verdictOf(view: ChannelView): Verdict {
    const rules = policy();
    const all = participantsOf(view);
    const own = all.find((each) => each.view.uniqueId === view.uniqueId);
    if (rules === undefined || own === undefined) return { permission: 'deny', ruleId: '' };
    return verdict(rules, own, all);
  }

  return {
    policy,
    viewOf,
    otherOf,
    participantsOf,
    companyOf,
    isTalking,
    isDenied: (company) =>
      company.some(({ view }) => {
        const { permission, ruleId } = verdictOf(view);
        return permission === 'deny' && ruleId !== '';
      }),
    verdictOf,
    ruleForOthers(asking, view) {
      const rules = policy();
      return rules && ruleForOthers(rules, asking, participantsOf(view))?.name;
    },
  };
}

/** Whether somebody is there to talk to: not a mailbox, not the music of a queue. */
export function isConversation(view: ChannelView): boolean {
  return view.service === '' || view.service === 'conference';
}
