import { deviceState, memberDetails, memberEvent, memberName } from '../pbx/device.ts';
import { lines } from '../pbx/event.ts';
import type { Pbx, Queue } from '../pbx/pbx.ts';
import type { Action, ListItem } from './define.ts';

/** Actions on queues. */
export const queueActions: readonly Action[] = [
  {
    name: 'QueueStatus',
    synopsis: 'Show queue status.',
    privilege: [],
    run({ pbx, header, list }) {
      const wanted = header('Queue');
      const items = [...pbx.queues.values()]
        .filter((queue) => wanted === '' || queue === queueNamed(pbx, wanted))
        .flatMap((queue) => queueItems(pbx, queue, header('Member')));
      list('Queue status will follow', 'QueueStatusComplete', items);
    },
  },
  {
    name: 'QueuePause',
    synopsis: 'Makes a queue member temporarily unavailable.',
    privilege: ['agent'],
    run({ pbx, header, ok, error }) {
      const [name, member] = [header('Queue'), header('Interface')];
      if (member === '' || header('Paused') === '') {
        error("Need 'Interface' and 'Paused' parameters.");
        return;
      }
      const number = numberOf(member);
      const endpoint = pbx.endpoints.get(number);
      const queues = [...pbx.queues.values()].filter(
        (queue) => (name === '' || queue.name === name) && queue.members.includes(number),
      );
      if (endpoint === undefined || queues.length === 0) {
        error('Interface not found');
        return;
      }
      const paused = /^(true|yes|on|1)$/i.test(header('Paused'));
      for (const queue of queues) {
        if (paused) queue.paused.set(number, header('Reason'));
        else queue.paused.delete(number);
        memberEvent(pbx, 'QueueMemberPause', queue, endpoint, deviceState(pbx, endpoint));
      }
      ok(paused ? 'Interface paused successfully' : 'Interface unpaused successfully');
    },
  },
  {
    name: 'QueueAdd',
    synopsis: 'Add interface to queue.',
    privilege: ['agent'],
    run({ pbx, header, ok, error }) {
      if (header('Queue') === '') return error("'Queue' not specified.");
      if (header('Interface') === '') return error("'Interface' not specified.");
      const queue = queueNamed(pbx, header('Queue'));
      const number = numberOf(header('Interface'));
      const endpoint = pbx.endpoints.get(number);
      if (queue === undefined || endpoint === undefined)
        return error('Unable to add interface to queue: No such queue');
      if (queue.members.includes(number)) return error('Unable to add interface: Already there');
      const name = header('MemberName') || header('Interface');
      queue.dynamic.set(number, { name, penalty: Number(header('Penalty') || 0) });
      queue.members.push(number);
      memberEvent(pbx, 'QueueMemberAdded', queue, endpoint, deviceState(pbx, endpoint));
      ok('Added interface to queue');
    },
  },
  {
    name: 'QueueRemove',
    synopsis: 'Remove interface from queue.',
    privilege: ['agent'],
    run({ pbx, header, ok, error }) {
      if (header('Queue') === '' || header('Interface') === '')
        return error("Need 'Queue' and 'Interface' parameters.");
      const queue = queueNamed(pbx, header('Queue'));
      const number = numberOf(header('Interface'));
      const endpoint = pbx.endpoints.get(number);
      if (queue === undefined) return error('Unable to remove interface from queue: No such queue');
      if (endpoint === undefined || !queue.members.includes(number))
        return error('Unable to remove interface: Not there');
      if (!queue.dynamic.has(number)) return error('Member not dynamic');
      memberEvent(pbx, 'QueueMemberRemoved', queue, endpoint, deviceState(pbx, endpoint));
      queue.members.splice(queue.members.indexOf(number), 1);
      queue.dynamic.delete(number);
      queue.paused.delete(number);
      ok('Removed interface from queue');
    },
  },
  {
    // No event tells of it.
    name: 'QueueChangePriorityCaller',
    synopsis: 'Change priority of a caller on queue.',
    privilege: [],
    run({ pbx, header, ok, error }) {
      const queue = queueNamed(pbx, header('Queue'));
      const caller = queue?.waiting.find((channel) => channel.name === header('Caller'));
      if (queue === undefined || caller === undefined)
        return error('Unable to change priority caller on queue: No such caller');
      queue.priorities.set(caller, Number(header('Priority')));
      if (header('Immediate') === 'yes')
        queue.waiting.sort((a, b) => (queue.priorities.get(b) ?? 0) - (queue.priorities.get(a) ?? 0));
      ok('Priority change for caller on queue');
    },
  },
];

/** app_queue.c compares names without regard to case. */
function queueNamed(pbx: Pbx, name: string): Queue | undefined {
  return [...pbx.queues.values()].find((queue) => queue.name.toLowerCase() === name.toLowerCase());
}

function numberOf(member: string): string {
  return member.replace(/^PJSIP\//, '');
}

function queueItems(pbx: Pbx, queue: Queue, member: string): readonly ListItem[] {
  const params = lines([
    ['Queue', queue.name],
    ['Max', 0],
    ['Strategy', 'ringall'],
    ['Calls', queue.waiting.length],
    ['Holdtime', 0],
    ['TalkTime', 0],
    ['Completed', queue.completed],
    ['Abandoned', queue.abandoned],
    ['ServiceLevel', 0],
    ['ServicelevelPerf', '0.0'],
    ['ServicelevelPerf2', '0.0'],
    ['Weight', 0],
  ]);
  const members = queue.members
    .filter((number) => member === '' || `PJSIP/${number}` === member)
    .flatMap((number) => {
      const endpoint = pbx.endpoints.get(number);
      if (endpoint === undefined) return [];
      const head = lines([
        ['Queue', queue.name],
        ['Name', memberName(queue, endpoint)],
        ['Location', `PJSIP/${number}`],
        ['StateInterface', `PJSIP/${number}`],
      ]);
      return [head + lines(memberDetails(pbx, queue, endpoint, deviceState(pbx, endpoint), false))];
    });
  const entries = queue.waiting.map((channel, index) =>
    lines([
      ['Queue', queue.name],
      ['Position', index + 1],
      ['Channel', channel.name],
      ['Uniqueid', channel.uniqueid],
      ['CallerIDNum', channel.callerId?.number || 'unknown'],
      ['CallerIDName', channel.callerId?.name || 'unknown'],
      ['ConnectedLineNum', channel.connected?.number || 'unknown'],
      ['ConnectedLineName', channel.connected?.name || 'unknown'],
      ['Wait', Math.floor((Date.now() - channel.since) / 1000)],
      ['Priority', queue.priorities.get(channel) ?? 0],
    ]),
  );
  const item = (event: string) => (body: string) => ({ event, body, idLast: true });
  return [
    item('QueueParams')(params),
    ...members.map(item('QueueMember')),
    ...entries.map(item('QueueEntry')),
  ];
}
