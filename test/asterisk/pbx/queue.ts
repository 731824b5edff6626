import { behave } from './behaviour.ts';
import {
  type Channel,
  channelEvent,
  connect,
  destroy,
  hangupRequest,
  newChannel,
  newExten,
  setState,
  snapshot,
} from './channel.ts';
import { deviceState, memberName } from './device.ts';
import { dialEvent } from './dial.ts';
import { lines } from './event.ts';
import type { Endpoint, Pbx, Queue } from './pbx.ts';
import { talk } from './talk.ts';

/** Pause before the members are rung again, ms (`retry` of queues.conf). */
const retry = 1000;

/** Application Queue: the caller waits, every free member rings, the first to answer talks (apps/app_queue.c). */
export function queue(pbx: Pbx, caller: Channel, spec: Queue): void {
  newExten(pbx, caller, 'Queue', `${spec.name},tT,,,60`);
  const joined = Date.now();
  const legs: Channel[] = [];
  let cancelRetry = () => {};

  spec.waiting.push(caller);
  const original = spec.waiting.length;
  tell('QueueCallerJoin', [
    ['Position', original],
    ['Count', spec.waiting.length],
  ]);
  channelEvent(pbx, 'MusicOnHoldStart', caller, 'Class: default\r\n');
  caller.running = {
    interrupt() {
      cancelRetry();
      for (const leg of [...legs]) end(leg, 'CANCEL', 0);
      tell('QueueCallerAbandon', [
        ['Position', place()],
        ['OriginalPosition', original],
        ['HoldTime', seconds(joined)],
      ]);
      spec.abandoned += 1;
      depart();
    },
  };
  ringMembers();

  function ringMembers(): void {
    for (const number of spec.members) {
      if (spec.paused.has(number)) continue;
      const endpoint = pbx.endpoints.get(number);
      if (endpoint !== undefined && deviceState(pbx, endpoint) === 'NOT_INUSE') ringMember(endpoint);
    }
    pbx.settle();
    if (legs.length === 0) again();
  }

  function again(): void {
    cancelRetry = pbx.later(retry, ringMembers);
  }

  function ringMember(endpoint: Endpoint): void {
    const line = endpoint.lines.find((candidate) => candidate.registered);
    if (line === undefined) return;
    const began = Date.now();
    const leg = newChannel(pbx, {
      line,
      state: 0,
      context: 'internal',
      exten: 's',
      linkedid: caller.linkedid,
    });
    legs.push(leg);
    // The queue tells of the call before the leg knows who calls.
    dialEvent(pbx, 'DialBegin', caller, leg, `DialString: PJSIP/${endpoint.number}\r\n`);
    leg.connected = caller.callerId;
    leg.exten = caller.exten;
    agent('AgentCalled', leg, []);
    leg.ringing = {
      answered: () => answer(leg, began),
      refused(cause, techCause, request) {
        if (request) hangupRequest(pbx, leg, cause, techCause);
        noAnswer(leg, began, cause);
      },
      timedOut: () => noAnswer(leg, began, 0),
    };
    setState(pbx, leg, 5);
    newExten(pbx, leg, 'AppQueue', '(Outgoing Line)');
    channelEvent(pbx, 'NewConnectedLine', leg);
    dialEvent(pbx, 'DialState', caller, leg, 'DialStatus: RINGING\r\n');
    behave(pbx, leg);
  }

  function noAnswer(leg: Channel, began: number, cause: number): void {
    end(leg, 'NOANSWER', cause, () => agent('AgentRingNoAnswer', leg, [['RingTime', Date.now() - began]]));
    if (legs.length === 0) again();
  }

  function answer(leg: Channel, began: number): void {
    setState(pbx, leg, 6);
    leg.ringing = undefined;
    for (const loser of [...legs]) if (loser !== leg) end(loser, 'CANCEL', 26);
    dialEvent(pbx, 'DialEnd', caller, leg, 'DialStatus: ANSWER\r\n');
    connect(pbx, caller, leg.callerId);
    channelEvent(pbx, 'MusicOnHoldStop', caller);
    depart();
    spec.completed += 1;
    const hold = seconds(joined);
    const answered = Date.now();
    agent('AgentConnect', leg, [
      ['HoldTime', hold],
      ['RingTime', seconds(began)],
    ]);
    caller.running = {
      interrupt() {},
      talked: (by) =>
        agent('AgentComplete', leg, [
          ['HoldTime', hold],
          ['TalkTime', seconds(answered)],
          ['Reason', by === 'transfer' ? 'transfer' : by === leg ? 'agent' : 'caller'],
        ]),
    };
    talk(pbx, caller, leg, () => {});
  }

  function end(leg: Channel, status: string, cause: number, between: () => void = () => {}): void {
    legs.splice(legs.indexOf(leg), 1);
    leg.ringing = undefined;
    dialEvent(pbx, 'DialEnd', caller, leg, `DialStatus: ${status}\r\n`);
    between();
    destroy(pbx, leg, cause);
    pbx.settle();
  }

  function place(): number {
    return spec.waiting.indexOf(caller) + 1;
  }

  function depart(): void {
    const position = place();
    spec.waiting.splice(position - 1, 1);
    spec.priorities.delete(caller);
    tell('QueueCallerLeave', [
      ['Position', position],
      ['Count', spec.waiting.length],
    ]);
  }

  function tell(event: string, rest: readonly (readonly [string, number])[]): void {
    channelEvent(pbx, event, caller, lines([['Queue', spec.name], ...rest]), 'agent');
  }

  function agent(event: string, leg: Channel, rest: readonly (readonly [string, string | number])[]): void {
    const { endpoint } = leg.line;
    const member = lines([
      ['Queue', spec.name],
      ['Interface', `PJSIP/${endpoint.number}`],
      ['MemberName', memberName(spec, endpoint)],
      ...rest,
    ]);
    pbx.publish(event, 'agent', snapshot(caller) + snapshot(leg, 'Dest') + member);
  }
}

function seconds(since: number): number {
  return Math.floor((Date.now() - since) / 1000);
}
