/** What agents do with their memberships: log in and out, begin and end a break. */

import type { Device, User } from '../directory.ts';
import { Failure, fail } from '../errors.ts';
import type { QueueMember } from '../pbx/pbx.ts';
import { attr, element, optional } from '../protocol/codec.ts';
import { integer, text, word } from '../protocol/value.ts';
import { agentOf, grantOf } from '../queue-people.ts';
import type { QueueView } from '../queues/queues.ts';
import { ok, success } from './answers.ts';
import { type Context, command } from './define.ts';
import { identified, supervises } from './reach.ts';

const queue = attr(word('Support', 128), 'name of the queue; `*`: all queues of the agent');
const agent = optional(
  word('tweber', 3071),
  'supervisors: user name or JID of another agent, or the interface of a member that is no user',
);
const queueOf = (member: QueueMember) => member.queue;

/** Who is acted on: a user, or a member that is no user's. */
interface Agent {
  readonly user: User | undefined;
  /** Begin sentences: `You are`, `Thomas Weber is`. */
  readonly is: string;
  readonly has: string;
  isOf(member: QueueMember): boolean;
}

const you = { is: 'You are', has: 'You have' };
const named = (name: string) => ({ is: `${name} is`, has: `${name} has` });

/** The caller, or whom the caller may act for. Throws `Failure` `not-permitted`, `no-such-user`. */
function agentFor(wanted: string | undefined, context: Context): Agent {
  const { caller, directory } = context;
  const isOf = (user: User) => (member: QueueMember) => agentOf(member, directory)?.jid === user.jid;
  if (wanted === undefined) return { user: caller.user, ...you, isOf: isOf(caller.user) };
  if (wanted.includes('/') && !wanted.includes('@') && supervises(undefined, context)) {
    const isNobodys = (member: QueueMember) =>
      member.interface === wanted && agentOf(member, directory) === undefined;
    return { user: undefined, ...named(wanted), isOf: isNobodys };
  }
  // Asked before the name is looked up: who may not act for others learns nothing of who there is.
  if (!caller.supervisor) {
    const self = wanted === caller.user.name || wanted === caller.user.jid;
    if (!self) fail('not-permitted', 'Acting for other agents is for supervisors.');
  }
  const user = identified(wanted, context);
  if (user.jid === caller.user.jid) return { user, ...you, isOf: isOf(user) };
  if (!supervises(user, context)) fail('not-permitted', `${user.fullName} is in none of your groups.`);
  return { user, ...named(user.fullName), isOf: isOf(user) };
}

/** The queue of that name. Throws `Failure` `no-such-queue`, `pbx-unavailable`. */
export function existing(name: string, context: Context): QueueView {
  const view = context.queueing.queue(name);
  if (view !== undefined) return view;
  if (!context.pbx.state.feed)
    fail('pbx-unavailable', 'The telephone system cannot be reached at the moment. Try again later.');
  return fail('no-such-queue', `There is no queue '${name.slice(0, 60)}'.`);
}

/** Does the same in several queues, and reports what failed where. The code is that of the first failure. */
async function inEach<T>(
  items: readonly T[],
  queueOf: (item: T) => string,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const failures: (readonly [string, Failure])[] = [];
  for (const item of items) {
    try {
      await act(item);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push([queueOf(item), error]);
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  const [, failure] = first;
  if (items.length === 1) throw failure;
  const each = failures.map(([name, { message }]) => `${name}: ${message}`).join(' ');
  const rest = items.length - failures.length;
  fail(failure.code, rest === 0 ? each : `${each} Done in ${rest} others.`);
}

/** The memberships that a command is about: those of one queue, or of all. Throws `Failure` `not-logged-in`. */
function memberships(name: string, who: Agent, context: Context): readonly QueueMember[] {
  const views = name === '*' ? context.queueing.queues() : [existing(name, context)];
  const found = views.flatMap(({ members }) => members.filter(who.isOf));
  if (found.length > 0) return found;
  const where = name === '*' ? 'any queue' : name;
  return fail('not-logged-in', `${who.is} not logged in to ${where}.`);
}

/** The device that queues ring. Throws `Failure` `no-device`. */
function ringingDevice(user: User): Device {
  const device = user.devices.find(({ capabilities }) => capabilities.has('dial')) ?? user.devices[0];
  return device ?? fail('no-device', `${user.fullName} has no telephone in the directory.`);
}

/** Logs a user in to one queue. Throws `Failure`, `not-permitted` where the directory does not grant it. */
async function logIn(
  name: string,
  who: Agent,
  user: User,
  wanted: number | undefined,
  context: Context,
): Promise<void> {
  const view = existing(name, context);
  const present = view.members.find(who.isOf);
  if (present !== undefined) fail('already-logged-in', `${who.is} logged in to ${view.name} already.`);
  const grant = grantOf(user, view.name);
  if (grant === undefined || !grant.dynamic)
    fail('not-permitted', `${view.name} is none of the queues that ${user.fullName} may log in to.`);
  // To come later than granted harms nobody; to come first is for a supervisor to allow.
  if (wanted !== undefined && wanted < grant.penalty && !context.caller.supervisor)
    fail('not-permitted', `Your penalty in ${view.name} is ${grant.penalty} or more.`);
  const device = ringingDevice(user);
  await context.pbx.queueAdd({
    queue: view.name,
    interface: device.dialString,
    stateInterface: device.device,
    name: user.fullName,
    penalty: wanted ?? grant.penalty,
  });
}

/** The text of a configured reason, by its code or itself. Throws `Failure` `not-available`, `no-such-reason`. */
function reasonFor(wanted: string | undefined, { directory }: Context): string {
  const reasons = directory.policy.pauseReasons;
  if (reasons.size === 0) fail('not-available', 'Breaks are turned off on this system.');
  const listed = [...reasons].map(([code, reason]) => `${code} (${reason})`).join(', ');
  if (wanted === undefined) fail('no-such-reason', `A break needs a reason, one of ${listed}.`);
  const text = reasons.get(wanted) ?? [...reasons.values()].find((reason) => reason === wanted);
  return text ?? fail('no-such-reason', `That is none of the reasons for a break; there are ${listed}.`);
}

/** `AgentLogin`, `AgentLogout`, `AgentPause`, `AgentUnpause`. */
export const agentCommands = [
  command({
    doc: 'Logs the agent in to a queue that the directory grants. `*`: to all of those where the agent is not logged in yet.',
    access: 'user',
    audited: true,
    needs: ['queueAdd'],
    request: element('AgentLogin', {
      queue,
      penalty: optional(
        integer(0, 1_000_000, 1),
        'default: as granted; only supervisors may give a lower one',
      ),
      agent,
    }),
    response: success,
    async handle(request, context) {
      const who = agentFor(request.agent, context);
      const { user } = who;
      if (user === undefined) fail('no-such-user', 'Only users of the directory can be logged in.');
      const granted = user.queues.filter(({ dynamic }) => dynamic).map(({ name }) => name);
      const absent = granted.filter((name) => !context.queueing.queue(name)?.members.some(who.isOf));
      if (request.queue === '*' && absent.length === 0) {
        if (granted.length === 0)
          fail('not-permitted', `There is no queue that ${user.fullName} may log in to.`);
        fail('already-logged-in', `${who.is} logged in to every queue already.`);
      }
      const names = request.queue === '*' ? absent : [request.queue];
      await inEach(
        names,
        (name) => name,
        (name) => logIn(name, who, user, request.penalty, context),
      );
      return ok;
    },
  }),
  command({
    doc: 'Logs the agent out of a queue. Members by the telephone system’s configuration cannot log out; `*` leaves those as they are.',
    access: 'user',
    audited: true,
    needs: ['queueRemove'],
    request: element('AgentLogout', { queue, agent }),
    response: success,
    async handle(request, context) {
      const who = agentFor(request.agent, context);
      const all = memberships(request.queue, who, context);
      const dynamic = all.filter((member) => member.dynamic);
      if (dynamic.length === 0)
        fail(
          'static-member',
          `${who.is} a member by the configuration of the telephone system, and cannot log out.`,
        );
      await inEach(dynamic, queueOf, (member) => context.pbx.queueRemove(member.queue, member.interface));
      return ok;
    },
  }),
  command({
    doc: 'Begins a break in a queue: no calls of it ring. Needs one of the configured reasons; where there are none, breaks are turned off. `*`: in all queues where there is none yet.',
    access: 'user',
    audited: true,
    needs: ['queuePause'],
    request: element('AgentPause', {
      queue,
      reason: optional(text('lunch', 256), 'code of a `QueuePauseReason`, or its text'),
      agent,
    }),
    response: success,
    async handle(request, context) {
      const who = agentFor(request.agent, context);
      const reason = reasonFor(request.reason, context);
      const working = memberships(request.queue, who, context).filter(({ paused }) => !paused);
      if (working.length === 0) fail('already-paused', `${who.has} a break already.`);
      await inEach(working, queueOf, (member) =>
        context.pbx.queuePause(member.queue, member.interface, true, reason),
      );
      return ok;
    },
  }),
  command({
    doc: 'Ends a break. `*`: in all queues where there is one.',
    access: 'user',
    audited: true,
    needs: ['queuePause'],
    request: element('AgentUnpause', {
      queue,
      reason: optional(text('lunch', 256), 'ignored: legacy clients send it'),
      agent,
    }),
    response: success,
    async handle(request, context) {
      const who = agentFor(request.agent, context);
      const paused = memberships(request.queue, who, context).filter((member) => member.paused);
      if (paused.length === 0) fail('not-paused', `${who.has} no break.`);
      await inEach(paused, queueOf, (member) =>
        context.pbx.queuePause(member.queue, member.interface, false, ''),
      );
      return ok;
    },
  }),
];
