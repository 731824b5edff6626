/** Module `queue`: callers who wait, and the agents who serve them. */

import { fail } from '../errors.ts';
import type { MissedCall } from '../missed.ts';
import { attr, element, type Infer, many, one, optional } from '../protocol/codec.ts';
import { flag, integer, oneOf, pattern, text, word } from '../protocol/value.ts';
import { isIn, peopleOf } from '../queue-people.ts';
import type { QueueView } from '../queues/queues.ts';
import { type Context, command, defineModule } from './define.ts';
import { entryOfCaller, phonebookEntry } from './phonebook-entry.ts';
import { agentCommands, existing } from './queue-agent.ts';
import { queueEvents } from './queue-event.ts';
import { describeQueue, queueMemberStates, queueState, statesOf } from './queue-state.ts';
import { supervises } from './reach.ts';

const name = attr(word('Support', 128), 'name of the queue');

const count = (example: number, doc: string) => attr(integer(0, Number.MAX_SAFE_INTEGER, example), doc);
const percent = (doc: string) =>
  attr(pattern(/^[0-9]{1,3}(\.[0-9]+)?$/, 'a percentage, such as 87.5', '87.5'), doc);

const queueStats = element(
  'QueueStats',
  {
    name: attr(text('Support')),
    calls: count(2, 'calls that wait now'),
    completed: count(120, 'calls that a member took'),
    abandoned: count(7, 'calls that nobody took'),
    holdtime: count(14, 'how long calls wait until a member takes them, moving average, seconds'),
    talktime: count(180, 'how long they last then, moving average, seconds'),
    serviceLevel: count(60, 'seconds within which calls should be taken; 0: not configured'),
    serviceLevelPerformance: percent('of the completed calls, those that were taken within it'),
    serviceLevelPerformance2: percent('of all calls, the same'),
    since: optional(
      integer(0, Number.MAX_SAFE_INTEGER, 1385735733276),
      'since when the counters count, epoch ms: the start of Asterisk, or when they were first seen to have been reset; missing where not known',
    ),
  },
  'What app_queue counts. Asterisk tells of no reset: one shows by counters that have become smaller when they are next asked for.',
);

const whole = integer(0, Number.MAX_SAFE_INTEGER, 1385735733276);

const missedCall = element(
  'MissedCall',
  {
    id: attr(text('1795200256.6514-1385735733276')),
    queue: attr(text('Support')),
    timestamp: attr(whole, 'when it left the queue, epoch ms'),
    waited: attr(integer(0, Number.MAX_SAFE_INTEGER, 95), 'how long it had waited, seconds'),
    number: attr(text('+4930123456'), 'as signaled'),
    reason: attr(oneOf('abandoned', 'timeout'), 'the caller hung up; its time in the queue was over'),
    calledBack: attr(flag(true), 'somebody of the queue has called the number since, and was answered'),
    settled: attr(
      oneOf('', 'callback', 'called-again'),
      '`callback`: somebody of the queue called and was answered; `called-again`: the caller did',
    ),
    settledAt: attr(whole, 'when, epoch ms; 0: not yet'),
    settledBy: attr(text('tweber'), 'who it was, as `agent` elsewhere'),
    entry: one(phonebookEntry),
  },
  'A call that waited in a queue and that nobody took.',
);

function describeMissed(call: MissedCall, context: Context): Infer<typeof missedCall> {
  const { id, queue, at, waited, number, reason, settledAt, settledBy, settledHow } = call;
  return {
    id,
    queue,
    timestamp: at,
    waited,
    number,
    reason,
    calledBack: settledHow === 'callback',
    settled: settledHow,
    settledAt,
    settledBy,
    entry: entryOfCaller(call, context),
  };
}

/** The queue, for somebody in it and for supervisors. Throws `Failure` `no-such-queue`, `not-permitted`, `pbx-unavailable`. */
function visible(wanted: string, context: Context): QueueView {
  const { caller, directory } = context;
  const view = existing(wanted, context);
  if (isIn(view, caller.user, directory) || supervises(undefined, context)) return view;
  const people = caller.supervisor ? peopleOf(view.name, view.roster, directory) : [];
  if (people.some((user) => supervises(user, context))) return view;
  return fail('not-permitted', `You are not in the queue ${view.name}.`);
}

/** Module `queue`. */
export const queue = defineModule({
  name: 'queue',
  doc:
    'Queues (app_queue) and their agents. Who is in a queue, logged in or not, sees it; supervisors see all. Agents are named by user name, ' +
    'members that are no users by their interface.',
  commands: [
    command({
      doc: 'The queues of the sender: memberships, and queues to log in to.',
      access: 'user',
      request: element('FindOwnState', {}),
      response: { codec: queueMemberStates },
      handle: (_request, { caller, queueing, directory }) =>
        statesOf(caller.user, queueing.queues(), directory),
    }),
    command({
      doc: 'One queue: who waits, who serves, reasons for a break. Reads the order of the waiting list from Asterisk, at most once a second.',
      access: 'user',
      request: element('FindQueueState', { name }),
      response: { codec: queueState },
      async handle(request, context) {
        // Who may not see it has nothing read; a queue that nobody knows may have come with a reload.
        const isKnown = context.queueing.queue(request.name) !== undefined;
        if (isKnown || !context.caller.supervisor) visible(request.name, context);
        await context.queueing.look();
        return describeQueue(visible(request.name, context), context);
      },
    }),
    ...agentCommands,
    command({
      doc: 'Counters of a queue, as Asterisk keeps them.',
      access: 'user',
      needs: ['queueCounters'],
      request: element('FindStats', { name }),
      response: { codec: queueStats },
      async handle(request, context) {
        const view = visible(request.name, context);
        const found = await context.queueing.counters(view.name);
        if (found === undefined) fail('no-such-queue', `There is no queue '${view.name}' any more.`);
        const { counters, since } = found;
        return {
          name: view.name,
          calls: counters.waiting,
          completed: counters.completed,
          abandoned: counters.abandoned,
          holdtime: counters.holdTime,
          talktime: counters.talkTime,
          serviceLevel: counters.serviceLevel,
          serviceLevelPerformance: counters.serviceLevelPerformance.toFixed(1),
          serviceLevelPerformance2: counters.serviceLevelPerformance2.toFixed(1),
          since,
        };
      },
    }),
    command({
      doc: 'Calls that nobody took, newest first, as far as they are kept: who it was, how long they waited, and whether somebody has called back.',
      access: 'user',
      request: element('FindMissed', {
        name,
        limit: optional(integer(1, 1000, 100), 'at the most so many; default: 100'),
        open: optional(flag(true), '`true`: only those that are not settled'),
      }),
      response: { codec: element('MissedCallList', { calls: many(missedCall) }) },
      async handle(request, context) {
        const view = visible(request.name, context);
        const { limit = 100, open = false } = request;
        const calls = await context.queueing.missed
          .find(view.name, limit, open)
          .catch(() =>
            fail('not-available', 'The missed calls cannot be read at the moment. Try again later.'),
          );
        return { calls: calls.map((call) => describeMissed(call, context)) };
      },
    }),
  ],
  events: queueEvents,
});
