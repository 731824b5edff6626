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

  function participantsOf(view: ChannelView): readonly Participant[] {
    const known = directory();
    const others = [otherOf(view), ...together.with(view.uniqueId).map(viewOf)];
    const views = new Map([view, ...others].flatMap((each) => (each ? [[each.uniqueId, each]] : [])));
    return [...views.values()].flatMap((each) => {
      const user = known.byDevice(each.device)?.user;
      return user === undefined ? [] : [{ user, view: each }];
    });
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
