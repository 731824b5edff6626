import type { Party } from '../api.ts';
import { behave } from './behaviour.ts';
import { dialStatusOf } from './cause.ts';
import {
  type Channel,
  channelEvent,
  connect,
  destroy,
  hangupRequest,
  identify,
  newChannel,
  newExten,
  setState,
  setVariable,
  snapshot,
} from './channel.ts';
import { clearDialVariables, dialTimes } from './noise.ts';
import type { Line, Pbx } from './pbx.ts';
import { talk } from './talk.ts';

/** What to ring: a device and the dial string without its technology, such as `370` or `1725556677@trunk`. */
export interface Target {
  readonly line: Line;
  readonly dialString: string;
}

/** How a Dial ended that was not answered. */
export interface Unanswered {
  readonly status: string;
  /** Q.850 cause with which the caller's channel ends when nothing else follows. */
  readonly cause: number;
  readonly techCause: number | undefined;
}

/** Sends DialBegin, DialState or DialEnd of a leg. Originate has no calling channel. */
export function dialEvent(
  pbx: Pbx,
  event: string,
  caller: Channel | undefined,
  leg: Channel,
  rest: string,
): void {
  pbx.publish(event, 'call', (caller === undefined ? '' : snapshot(caller)) + snapshot(leg, 'Dest') + rest);
}

/**
 * Application Dial: rings every target, bridges the first that answers. The events and their order are those of a
 * PJSIP call in Asterisk 22 (apps/app_dial.c, main/dial.c).
 */
export function dial(
  pbx: Pbx,
  caller: Channel,
  targets: readonly Target[],
  seconds: number,
  unanswered: (result: Unanswered) => void,
): void {
  clearDialVariables(pbx, caller);
  const reachable = targets.filter((target) => target.line.registered);
  if (reachable.length === 0) {
    setVariable(pbx, caller, 'DIALSTATUS', 'CHANUNAVAIL');
    unanswered({ status: 'CHANUNAVAIL', cause: 3, techCause: 404 });
    return;
  }

  const legs: Channel[] = [];
  const single = reachable.length === 1;
  let answered = 0;
  const cancelTimer = pbx.later(seconds * 1000, timedOut);

  caller.running = {
    interrupt(why, cause) {
      stop('CANCEL', why === 'hangup' ? cause : 16, why === 'hangup' && cause === 127 ? 500 : undefined);
      setVariable(pbx, caller, 'DIALSTATUS', 'CANCEL');
    },
  };
  for (const target of reachable) legs.push(createLeg(pbx, caller, target, single));
  for (const leg of [...legs]) startRinging(leg);

  function startRinging(leg: Channel): void {
    leg.ringing = {
      answered: () => answer(leg),
      refused: refuse.bind(undefined, leg),
      timedOut,
      taken: (by) => take(leg, by),
    };
    setState(pbx, leg, 5);
    if (caller.twin !== undefined) setState(pbx, caller.twin, 5);
    setVariable(pbx, caller, 'RINGTIME', '0');
    setVariable(pbx, caller, 'RINGTIME_MS', '1');
    dialEvent(pbx, 'DialState', caller, leg, 'DialStatus: RINGING\r\n');
    // The outside world plays its own ringing tone: early media.
    if (leg.line.endpoint.callerId === undefined) {
      dialEvent(pbx, 'DialState', caller, leg, 'DialStatus: PROGRESS\r\n');
    }
    pbx.settle();
    behave(pbx, leg);
  }

  function answer(leg: Channel): void {
    cancelTimer();
    answered = Date.now();
    setState(pbx, leg, 6);
    leg.ringing = undefined;
    for (const loser of legs) if (loser !== leg) end(loser, 'CANCEL', 26, undefined);
    setVariable(pbx, caller, 'DIALSTATUS', 'ANSWER');
    setVariable(pbx, caller, 'DIALEDPEERNAME', leg.name);
    setVariable(pbx, caller, 'DIALEDPEERNUMBER', leg.variables.get('DIALEDPEERNUMBER') ?? '');
    leg.exten = '';
    dialEvent(pbx, 'DialEnd', caller, leg, 'DialStatus: ANSWER\r\n');
    if (!single) connect(pbx, caller, partyOf(leg));
    setState(pbx, caller, 6);
    pbx.settle();
    caller.running = {
      interrupt() {},
      talked: () => dialTimes(pbx, caller, answered),
    };
    talk(pbx, caller, leg, () => newExten(pbx, leg, 'AppDial', '(Outgoing Line)'));
  }

  /** A pickup: the leg goes without a DialEnd, and another channel has answered in its place (main/pickup.c). */
  function take(leg: Channel, by: Channel): void {
    cancelTimer();
    answered = Date.now();
    legs.splice(legs.indexOf(leg), 1);
    leg.ringing = undefined;
    for (const loser of [...legs]) end(loser, 'CANCEL', 26, undefined);
    by.linkedid = caller.linkedid;
    connect(pbx, by, partyOf(caller));
    setVariable(pbx, caller, 'DIALSTATUS', 'ANSWER');
    dialEvent(pbx, 'DialEnd', caller, by, 'DialStatus: ANSWER\r\n');
    connect(pbx, caller, partyOf(by));
    setState(pbx, caller, 6);
    channelEvent(pbx, 'Pickup', by, snapshot(leg, 'Target'));
    destroy(pbx, leg, 26);
    pbx.settle();
    caller.running = { interrupt() {}, talked: () => dialTimes(pbx, caller, answered) };
    by.running = undefined;
    talk(pbx, caller, by, () => newExten(pbx, by, 'AppDial', '(Outgoing Line)'));
  }

  function refuse(leg: Channel, cause: number, techCause: number | undefined, request: boolean): void {
    if (request) hangupRequest(pbx, leg, cause, techCause);
    const status = dialStatusOf(cause);
    if (legs.length > 1) {
      end(leg, status, cause, techCause);
      return;
    }
    cancelTimer();
    end(leg, status, cause, techCause);
    giveUp({ status, cause, techCause });
  }

  function timedOut(): void {
    cancelTimer();
    stop('NOANSWER', 0, undefined);
    giveUp({ status: 'NOANSWER', cause: 16, techCause: undefined });
  }

  function giveUp(result: Unanswered): void {
    setVariable(pbx, caller, 'DIALSTATUS', result.status);
    caller.running = undefined;
    unanswered(result);
  }

  function stop(status: string, cause: number, techCause: number | undefined): void {
    cancelTimer();
    for (const leg of [...legs]) end(leg, status, cause, techCause);
  }

  function end(leg: Channel, status: string, cause: number, techCause: number | undefined): void {
    legs.splice(legs.indexOf(leg), 1);
    leg.ringing = undefined;
    dialEvent(pbx, 'DialEnd', caller, leg, `DialStatus: ${status}\r\n`);
    destroy(pbx, leg, cause, techCause);
    pbx.settle();
  }
}

/** Who the other end of a leg sees. */
export function partyOf(channel: Channel): Party | undefined {
  return channel.callerId;
}

function createLeg(pbx: Pbx, caller: Channel, target: Target, single: boolean): Channel {
  const { line } = target;
  const leg = newChannel(pbx, {
    line,
    state: 0,
    context: line.endpoint.context,
    exten: 's',
    linkedid: caller.linkedid,
    account: caller.account,
  });
  setVariable(pbx, leg, 'DIALEDPEERNUMBER', target.dialString);
  inherit(pbx, caller, leg);
  leg.connected = caller.callerId;
  leg.exten = caller.exten;
  const outward = line.endpoint.callerId === undefined;
  if (outward) leg.callerId = { number: caller.exten };
  newExten(pbx, leg, 'AppDial', '(Outgoing Line)');
  if (outward) identify(pbx, leg, leg.callerId);
  channelEvent(pbx, 'NewConnectedLine', leg);
  dialEvent(pbx, 'DialBegin', caller, leg, `DialString: ${target.dialString}\r\n`);
  if (single) connect(pbx, caller, partyOf(leg));
  return leg;
}

/** Variables whose names begin with underscores go on to the dialled channels (`ast_channel_inherit_variables`). */
function inherit(pbx: Pbx, from: Channel, to: Channel): void {
  for (const [name, value] of from.variables) {
    if (name.startsWith('__')) setVariable(pbx, to, name, value);
    else if (name.startsWith('_')) setVariable(pbx, to, name.slice(1), value);
  }
}
