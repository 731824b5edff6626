import { deviceState, memberDetails, memberEvent } from '../pbx/device.ts';
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
        .filter((queue) => wanted === '' || queue.name === wanted)
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
      const number = member.replace(/^PJSIP\//, '');
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
];

function queueItems(pbx: Pbx, queue: Queue, member: string): readonly ListItem[] {
  const params = lines([
    ['Queue', queue.name],
    ['Max', 0],
    ['Strategy', 'ringall'],
    ['Calls', queue.waiting.length],
    ['Holdtime', 0],
    ['TalkTime', 0],
    ['Completed', 0],
    ['Abandoned', 0],
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
        ['Name', endpoint.callerId?.name ?? ''],
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
      ['Priority', 0],
    ]),
  );
  const item = (event: string) => (body: string) => ({ event, body, idLast: true });
  return [
    item('QueueParams')(params),
    ...members.map(item('QueueMember')),
    ...entries.map(item('QueueEntry')),
  ];
}
