import { expect, test } from 'vitest';
import { createDirectory, type Place, type Seats, seatUsers } from '../../src/directory.ts';
import type { QueueMember } from '../../src/pbx/pbx.ts';
import { createQueueMoves } from '../../src/places/queues.ts';
import { device, user } from '../modules/harness.ts';
import { until } from '../servers/until.ts';
import { keepLog } from '../xmpp/setup.ts';

const desk: Place = { name: 'Desk 1', devices: [device('Desk 1', 'PJSIP/desk1')], open: undefined };
const base = createDirectory(
  [
    user('anna', '340', 'Anna'),
    user('bernd', '370', 'Bernd'),
    user('carla', '320', 'Carla', { devices: [] }),
  ],
  undefined,
  undefined,
  [desk],
);
const sits = (name: string) => {
  const found = base.byName(name);
  const seats: Seats = new Map(found && [[found.jid, desk]]);
  return seatUsers(base, seats);
};

/** A queue with these members, which follow. */
function queue(...interfaces: string[]) {
  const acts: string[] = [];
  let held: Promise<void> | undefined;
  let members = interfaces.map(
    (name): QueueMember => ({
      queue: 'Support',
      interface: name,
      stateInterface: name,
      name: 'A name',
      dynamic: !name.startsWith('Local/'),
      penalty: 2,
      paused: name === 'PJSIP/340',
      pausedReason: name === 'PJSIP/340' ? 'Lunch' : '',
    }),
  );
  const follow = createQueueMoves({
    pbx: {
      async queueAdd({ queue, interface: name, stateInterface, penalty }) {
        if (members.some((each) => each.interface === name)) throw new Error('there already');
        acts.push(`+${name} ${stateInterface} ${penalty}`);
        const made = { queue, interface: name, stateInterface, name: '', dynamic: true, penalty };
        members = [...members, { ...made, paused: false, pausedReason: '' }];
      },
      async queueRemove(_queue, name) {
        await held;
        acts.push(`-${name}`);
        members = members.filter((each) => each.interface !== name);
      },
      queuePause: async (_queue, name, _paused, reason) => void acts.push(`pause ${name} ${reason}`),
    },
    queues: () => [{ members }],
    log: keepLog(),
  });
  return {
    acts,
    follow,
    /** Lets the telephone system wait until what is returned is called. */
    hold() {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return () => release();
    },
  };
}

test('a membership moves with its user, break and penalty included, and back', async () => {
  const { acts, follow } = queue('PJSIP/340', 'Local/340@queue-member/n', 'PJSIP/trunk');
  follow(sits('anna'), base);
  await until('it has moved', () => acts.length === 3);
  expect(acts).toEqual(['-PJSIP/340', '+PJSIP/desk1 PJSIP/desk1 2', 'pause PJSIP/desk1 Lunch']);
  follow(base, sits('anna'));
  await until('it is back', () => acts.length === 5);
  expect(acts.slice(3)).toEqual(['-PJSIP/desk1', '+PJSIP/340 PJSIP/340 2']);
});

test('of two in one queue each keeps the own membership when one takes the place of the other', async () => {
  const { acts, follow } = queue('PJSIP/desk1', 'PJSIP/370');
  follow(sits('bernd'), sits('anna'));
  await until('both have moved', () => acts.length === 4);
  expect(acts).toEqual([
    '-PJSIP/desk1',
    '-PJSIP/370',
    '+PJSIP/340 PJSIP/340 2',
    '+PJSIP/desk1 PJSIP/desk1 2',
  ]);
});

test('who changes places a thousand times while the telephone system takes its time moves once more', async () => {
  const { acts, follow, hold } = queue('PJSIP/340');
  const release = hold();
  for (let n = 0; n < 1000; n++)
    follow(...(n % 2 === 0 ? ([sits('anna'), base] as const) : ([base, sits('anna')] as const)));
  follow(sits('anna'), base);
  release();
  await until('she has arrived', () => acts.some((act) => act.startsWith('+PJSIP/desk1')));
  await until('nothing more is to be done', () => acts.at(-1) === 'pause PJSIP/desk1 Lunch');
  expect(acts.length).toBeLessThan(8);
});

test('who has no telephone left is out, and who did not move stays', async () => {
  const { acts, follow } = queue('PJSIP/desk1', 'PJSIP/370');
  follow(base, sits('carla'));
  await until('she is out', () => acts.length === 1);
  expect(acts).toEqual(['-PJSIP/desk1']);
});
