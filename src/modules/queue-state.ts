/** How queues look on the wire: members, who waits, reasons for a break. */

import type { Directory, User } from '../directory.ts';
import type { QueueMember } from '../pbx/pbx.ts';
import { attr, element, type Infer, many, one, textElement } from '../protocol/codec.ts';
import { flag, integer, text } from '../protocol/value.ts';
import { agentOf, grantedUsers, grantOf, isIn } from '../queue-people.ts';
import type { QueueCall } from '../queues/changes.ts';
import type { QueueView } from '../queues/queues.ts';
import type { World } from './define.ts';
import { entryOfCaller, entryOfUser, type PhonebookEntry, phonebookEntry } from './phonebook-entry.ts';

/** The attributes that name a queue. */
export const queueName = {
  jid: attr(text(''), 'empty: queues have no address of their own'),
  name: attr(text('Support'), 'name of the queue'),
};

/** One membership of one agent. */
export const queueMemberState = element(
  'QueueMemberState',
  {
    agent: attr(text('tweber'), 'user name; the interface (`PJSIP/340`) of a member that is no user'),
    queue: attr(text('Support')),
    dynamic: attr(flag(true), 'can log in and out'),
    loggedin: attr(flag(true), 'is a member now'),
    paused: attr(flag()),
    eventType: attr(text('login'), '`login`, `logout`, `pause`, `unpause`; empty in lists'),
    eventId: attr(text('Support/tweber'), 'names the membership'),
    pauseReason: attr(text('')),
    penalty: attr(integer(0, 1_000_000, 0), 'members with a lower one are called first'),
    entry: one(phonebookEntry),
  },
  'An agent in a queue.',
);

/** `QueueMemberStates`, in queues and in `UserInfo`. */
export const queueMemberStates = element('QueueMemberStates', {
  eventType: attr(text('')),
  eventId: attr(text('')),
  states: many(queueMemberState),
});

/** A call that waits, and its place. */
export const queueCallEntry = element(
  'QueueCallEntry',
  {
    position: textElement(integer(0, 1_000_000, 1), 0, 'place in the waiting list, from 1'),
    channel: textElement(text('PJSIP/trunk-0000001c'), ''),
    uniqueId: textElement(text('1795200256.6514'), ''),
    since: textElement(
      integer(0, Number.MAX_SAFE_INTEGER, 1385735733276),
      0,
      'when it began to wait, epoch ms',
    ),
    entry: one(phonebookEntry),
  },
  'A call in a queue.',
);

const queueCallEntryList = element('QueueCallEntryList', { calls: many(queueCallEntry) });

const queuePauseReason = element('QueuePauseReason', {
  code: attr(text('lunch'), 'what `AgentPause` takes as `reason`'),
  reason: textElement(text('Lunch break'), '', 'for people'),
});

const queuePauseReasonList = element(
  'QueuePauseReasonList',
  { reasons: many(queuePauseReason) },
  'The reasons that the configuration has. None: breaks are turned off.',
);

/** A queue with everything in it. */
export const queueState = element(
  'QueueState',
  {
    ...queueName,
    calls: one(queueCallEntryList),
    members: one(queueMemberStates),
    reasons: one(queuePauseReasonList),
  },
  'A queue as it is now.',
);

/** What a membership is called after: its user, or the interface. */
export function agentName(member: QueueMember, directory: Directory): string {
  return agentOf(member, directory)?.name ?? member.interface;
}

function stranger(displayname: string): PhonebookEntry {
  return { ...phonebookEntry.read({ name: 'PhonebookEntry', attrs: new Map(), children: [] }), displayname };
}

/** A member as clients see it. `eventType` as in the element. */
export function describeMember(
  member: QueueMember,
  loggedIn: boolean,
  eventType: '' | 'login' | 'logout' | 'pause' | 'unpause',
  directory: Directory,
): Infer<typeof queueMemberState> {
  const user = agentOf(member, directory);
  const agent = user?.name ?? member.interface;
  return {
    agent,
    queue: member.queue,
    dynamic: member.dynamic,
    loggedin: loggedIn,
    paused: loggedIn && member.paused,
    eventType,
    eventId: `${member.queue}/${agent}`,
    pauseReason: loggedIn ? member.pausedReason : '',
    penalty: member.penalty,
    entry: user === undefined ? stranger(member.name) : entryOfUser(user),
  };
}

/** A queue that a user may log in to, and has not. */
function describeAway(queue: string, penalty: number, user: User): Infer<typeof queueMemberState> {
  return {
    agent: user.name,
    queue,
    dynamic: true,
    loggedin: false,
    paused: false,
    eventType: '',
    eventId: `${queue}/${user.name}`,
    pauseReason: '',
    penalty,
    entry: entryOfUser(user),
  };
}

/** The queues of a user: where the user is a member, and where the user may become one. */
export function statesOf(
  user: User,
  queues: readonly QueueView[],
  directory: Directory,
): Infer<typeof queueMemberStates> {
  const present = queues
    .filter((view) => isIn(view, user, directory))
    .flatMap(({ members }) => members.filter((member) => agentOf(member, directory)?.jid === user.jid));
  const names = new Set(present.map((member) => member.queue.toLowerCase()));
  const known = new Map(queues.map(({ name }) => [name.toLowerCase(), name]));
  const away = user.queues.filter(({ dynamic, name }) => dynamic && !names.has(name.toLowerCase()));
  return {
    eventType: '',
    eventId: '',
    states: [
      ...present.map((member) => describeMember(member, true, '', directory)),
      ...away.map(({ name, penalty }) => describeAway(known.get(name.toLowerCase()) ?? name, penalty, user)),
    ],
  };
}

/** Everybody in a queue: its members, and those who may log in. */
function membersOf(view: QueueView, directory: Directory): Infer<typeof queueMemberStates> {
  const present = new Set<string>();
  const states = view.members.map((member) => {
    const state = describeMember(member, true, '', directory);
    present.add(state.agent);
    return state;
  });
  for (const user of grantedUsers(view.name, directory)) {
    const penalty = grantOf(user, view.name)?.penalty ?? 0;
    if (!present.has(user.name)) states.push(describeAway(view.name, penalty, user));
  }
  return { eventType: '', eventId: '', states };
}

/** A call with its place. */
export function describeCall(call: QueueCall, position: number, world: World): Infer<typeof queueCallEntry> {
  const { channel, uniqueId, since } = call;
  return { position, channel, uniqueId, since: Math.round(since), entry: entryOfCaller(call, world) };
}

/** The whole queue. */
export function describeQueue(view: QueueView, world: World): Infer<typeof queueState> {
  const { directory } = world;
  return {
    jid: '',
    name: view.name,
    calls: { calls: view.calls.map((call, index) => describeCall(call, index + 1, world)) },
    members: membersOf(view, directory),
    reasons: {
      reasons: [...directory.policy.pauseReasons].map(([code, reason]) => ({ code, reason })),
    },
  };
}
