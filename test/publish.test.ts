/** What counts as told, for the bridge after this one. */

import { expect, it } from 'vitest';
import { callsOf } from '../src/directory/calls.ts';
import { parseDirectory } from '../src/directory/parse.ts';
import { emptyQueueing } from '../src/modules/define.ts';
import { modules } from '../src/modules/index.ts';
import { emptyPhonebook } from '../src/phonebook/model.ts';
import type { FullJid } from '../src/protocol/jid.ts';
import { createPublish } from '../src/publish.ts';
import type { QueueMemberChange } from '../src/queues/changes.ts';
import { createSubscriptionIndex } from '../src/subscriptions/index.ts';
import { member } from './queues/script.ts';

it('what waits for room is told once there is; what nobody wants by then counts as told, or it would be news to the next bridge', () => {
  const parsed = parseDirectory(
    'users:\n  - { name: anna, extension: 340, devices: [{ name: Desk, device: PJSIP/340 }] }\n',
    ['example.org'],
  );
  const [anna] = parsed.ok ? parsed.directory.users : [];
  if (!parsed.ok || anna === undefined) throw new Error('nobody is there');
  const { directory } = parsed;
  const index = createSubscriptionIndex();
  const told: [type: string, heard: boolean][] = [];
  let room = false;
  let takes = true;
  const publish = createPublish({
    modules,
    index,
    from: 'pbx.example.org',
    send() {
      room &&= takes;
      return takes;
    },
    hasRoom: () => room,
    onTold: (change, heard) => told.push(['type' in change ? change.type : '', heard]),
  });
  const happens = (type: QueueMemberChange['type']) => {
    const roster = [member('PJSIP/340')];
    publish([{ kind: 'queue-member', type, queue: 'Support', member: member('PJSIP/340'), roster, at: 0 }], {
      directory,
      calls: callsOf(() => directory),
      phonebook: emptyPhonebook,
      queueing: emptyQueueing,
    });
  };
  happens('login');
  expect(told).toEqual([['login', false]]);
  index.set(`${anna.jid}/x` as FullJid, anna.jid, [
    { module: 'queue', type: '*', scope: 'user', filters: [] },
  ]);
  happens('pause');
  happens('unpause');
  expect(told).toHaveLength(1);
  room = true;
  publish.catchUp(directory);
  expect(told.slice(1)).toEqual([['unpause', true]]);
  // The room is gone before anybody has it.
  takes = false;
  happens('logout');
  expect(told).toHaveLength(2);
  [takes, room] = [true, true];
  publish.catchUp(directory);
  expect(told.slice(2)).toEqual([['logout', true]]);
});
