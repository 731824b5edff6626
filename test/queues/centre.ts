/** A busy call centre in AMI events, as app_queue.c of Asterisk 22 sends them: queues with agents, and calls that wait in all of them. */

/** One AMI event of it, and what clients hear of that. */
export interface CentreEvent {
  readonly event: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly privilege: 'agent' | 'call';
  /** The queue, and a line for what its people are told; undefined where they are told nothing. */
  readonly told?: readonly [queue: string, line: string];
}

/** How big it is. */
export interface CentreSize {
  readonly queues: number;
  readonly agentsPerQueue: number;
  readonly waitingPerQueue: number;
}

/** 50 queues, 500 agents, 200 calls that wait. */
export const busy: CentreSize = { queues: 50, agentsPerQueue: 10, waitingPerQueue: 4 };

export const queueNamed = (n: number) => `Queue${n}`;
/** Extension of an agent, by number over all queues. */
export const agentNamed = (n: number) => String(10_000 + n);

/** A directory file with all agents, named by their extensions, and `boss`, who supervises. */
export function centreUsers({ queues, agentsPerQueue }: CentreSize): string {
  const lines = Array.from({ length: queues * agentsPerQueue }, (_, n) => {
    const name = agentNamed(n);
    return `  - { name: '${name}', fullName: Agent ${name}, extension: ${name}, devices: [{ name: Desk ${name}, device: PJSIP/${name} }] }`;
  });
  return `users:\n${lines.join('\n')}\n  - { name: boss, extension: 399, devices: [{ name: Boss, device: PJSIP/399 }], roles: [xmpp.supervisor] }\n`;
}

const caller = (queue: number, n: number) => {
  const id = `${queue}.${n}`;
  return {
    Channel: `PJSIP/trunk-${id}`,
    ChannelState: '6',
    ChannelStateDesc: 'Up',
    CallerIDNum: `+4930${queue}${n}`,
    CallerIDName: 'Max Mustermann',
    ConnectedLineNum: '<unknown>',
    ConnectedLineName: '<unknown>',
    Language: 'en',
    AccountCode: '',
    Context: 'internal',
    Exten: '500',
    Priority: '2',
    Uniqueid: id,
    Linkedid: id,
  };
};

const dest = (agent: string, queue: number, n: number) => ({
  DestChannel: `PJSIP/${agent}-${queue}.${n}`,
  DestChannelState: '6',
  DestChannelStateDesc: 'Up',
  DestCallerIDNum: agent,
  DestCallerIDName: `Agent ${agent}`,
  DestConnectedLineNum: `+4930${queue}${n}`,
  DestConnectedLineName: 'Max Mustermann',
  DestContext: 'internal',
  DestExten: '500',
  DestPriority: '1',
  DestUniqueid: `a${queue}.${n}`,
  DestLinkedid: `${queue}.${n}`,
});

const member = (queue: number, agent: string, paused: boolean) => ({
  Queue: queueNamed(queue),
  MemberName: `Agent ${agent}`,
  Interface: `PJSIP/${agent}`,
  StateInterface: `PJSIP/${agent}`,
  Membership: 'dynamic',
  Penalty: '0',
  CallsTaken: '0',
  LastCall: '0',
  LastPause: '0',
  LoginTime: '0',
  InCall: '0',
  Status: '1',
  Paused: paused ? '1' : '0',
  PausedReason: paused ? 'Lunch' : '',
  Ringinuse: '0',
  Wrapuptime: '0',
});

const agentEvent = (
  event: string,
  headers: Record<string, string>,
  told?: CentreEvent['told'],
): CentreEvent => ({
  event,
  headers,
  privilege: 'agent',
  ...(told && { told }),
});

/** How it comes to be busy: agents log in, and calls begin to wait. */
export function* opening({ queues, agentsPerQueue, waitingPerQueue }: CentreSize): Generator<CentreEvent> {
  for (let queue = 0; queue < queues; queue++) {
    for (let n = 0; n < agentsPerQueue; n++) {
      const agent = agentNamed(queue * agentsPerQueue + n);
      yield agentEvent('QueueMemberAdded', member(queue, agent, false), [
        queueNamed(queue),
        `login ${agent}`,
      ]);
    }
    for (let n = 0; n < waitingPerQueue; n++) yield joins(queue, n, n + 1);
  }
}

function joins(queue: number, n: number, position: number): CentreEvent {
  const place = { Queue: queueNamed(queue), Position: `${position}`, Count: `${position}` };
  return agentEvent('QueueCallerJoin', { ...caller(queue, n), ...place }, [
    queueNamed(queue),
    `join ${queue}.${n} at ${position}`,
  ]);
}

/**
 * Without end: in one queue after the other a call comes, the one that has waited longest is taken, or gives up, and an agent takes a short
 * break. As many wait before and after.
 */
export function* business({ queues, agentsPerQueue, waitingPerQueue }: CentreSize): Generator<CentreEvent> {
  for (let round = 0; ; round++) {
    for (let queue = 0; queue < queues; queue++) {
      const name = queueNamed(queue);
      const agent = agentNamed(queue * agentsPerQueue + (round % agentsPerQueue));
      const first = caller(queue, round);
      const answered = dest(agent, queue, round);
      const called = { Queue: name, Interface: `PJSIP/${agent}`, MemberName: `Agent ${agent}` };
      const left = { Queue: name, Position: '1', Count: `${waitingPerQueue}` };
      yield joins(queue, round + waitingPerQueue, waitingPerQueue + 1);
      if (round % 3 === 2) {
        yield { event: 'HangupRequest', headers: { ...first, Cause: '16' }, privilege: 'call' };
        yield agentEvent('QueueCallerAbandon', { ...first, Queue: name, Position: '1', HoldTime: '9' });
        yield agentEvent('QueueCallerLeave', { ...first, ...left }, [
          name,
          `leave ${queue}.${round} abandoned`,
        ]);
        yield { event: 'Hangup', headers: { ...first, Cause: '0' }, privilege: 'call' };
      } else {
        yield agentEvent('AgentCalled', { ...first, ...answered, ...called });
        yield {
          event: 'DialEnd',
          headers: { ...first, ...answered, DialStatus: 'ANSWER' },
          privilege: 'call',
        };
        yield agentEvent('QueueCallerLeave', { ...first, ...left }, [
          name,
          `leave ${queue}.${round} connected`,
        ]);
        yield agentEvent('AgentConnect', { ...first, ...answered, ...called, HoldTime: '9', RingTime: '1' });
        yield agentEvent('AgentComplete', {
          ...first,
          ...answered,
          ...called,
          TalkTime: '9',
          Reason: 'agent',
        });
        yield { event: 'Hangup', headers: { ...first, Cause: '16' }, privilege: 'call' };
      }
      yield agentEvent('QueueMemberPause', member(queue, agent, true), [name, `pause ${agent}`]);
      yield agentEvent('QueueMemberPause', member(queue, agent, false), [name, `unpause ${agent}`]);
    }
  }
}

/** The line for a stanza, and its queue; undefined for stanzas that are no events of queues. */
export function lineOf(stanza: string): readonly [queue: string, line: string] | undefined {
  const body = stanza.slice(stanza.indexOf('<Queue'));
  const event = /^<(Queue\w+)/.exec(body)?.[1];
  const value = (name: string) => new RegExp(` ${name}='([^']*)'`).exec(body)?.[1] ?? '';
  const id = /<uniqueId>([^<]*)</.exec(body)?.[1] ?? '';
  if (event === 'QueueMemberState') return [value('queue'), `${value('eventType')} ${value('agent')}`];
  if (event === 'QueueJoinEvent')
    return [value('name'), `join ${id} at ${/<position>(\d+)</.exec(body)?.[1]}`];
  if (event === 'QueueLeaveEvent') return [value('name'), `leave ${id} ${value('eventDetails')}`];
  return undefined;
}
