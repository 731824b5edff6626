import { describe, expect, it } from 'vitest';
import type { PbxEvent } from '../../src/pbx/events.ts';
import {
  abandons,
  answers,
  channel,
  connects,
  desk,
  ends,
  goesOn,
  hangsUp,
  joins,
  leaves,
  member,
  queues,
  rings,
  snapshot,
} from './script.ts';

const anna = member('PJSIP/340');
const bernd = member('Local/370@internal/n', { stateInterface: 'PJSIP/370', dynamic: true });
const support = queues({ Support: [[anna, bernd], []] });
const added = (one = bernd): PbxEvent => ({ type: 'queue-member-added', member: one, at: 1000 });
const removed = (one = bernd): PbxEvent => ({ type: 'queue-member-removed', member: one, at: 1000 });
const changed = (one = anna): PbxEvent => ({ type: 'queue-member-changed', member: one, at: 1000 });

describe('members', () => {
  it('come, go and take breaks', () => {
    const { play, members } = desk(queues({ Support: [[anna], []] }));
    expect(play(added())).toEqual(['login Support Local/370@internal/n']);
    const onBreak = { ...anna, paused: true, pausedReason: 'Lunch' };
    expect(play(changed(onBreak))).toEqual(['pause Support PJSIP/340']);
    // Asterisk tells of a second pause as of the first.
    expect(play(changed(onBreak))).toEqual([]);
    expect(play(changed({ ...onBreak, pausedReason: 'Meeting' }))).toEqual(['pause Support PJSIP/340']);
    expect(play(changed())).toEqual(['unpause Support PJSIP/340']);
    expect(play(changed({ ...anna, penalty: 5 }))).toEqual([]);
    expect(play(removed())).toEqual(['logout Support Local/370@internal/n']);
    expect(play(removed())).toEqual([]);
    expect(members()).toEqual(['PJSIP/340']);
  });

  it('belong to the queue that a change concerns also when they go', () => {
    const { model } = desk(support);
    expect(model.apply(removed())[0]?.roster).toContainEqual(bernd);
    expect(model.queue('SUPPORT')?.roster).toEqual([anna]);
  });

  it('keep the same roster as long as nobody comes or goes', () => {
    const { model, play } = desk(support);
    const before = model.queue('Support')?.roster;
    play(changed({ ...anna, paused: true }), joins('a'), abandons('a'), leaves('a'), ends('a'));
    expect(model.queue('Support')?.roster).toBe(before);
  });

  it('that nobody told of are a doubt', () => {
    const { model, play } = desk(queues({ Support: [[anna], []] }));
    play(joins('a'), rings('a', 'PJSIP/340'));
    expect(model.takeDoubt()).toBe(false);
    play(rings('a', 'PJSIP/320'));
    expect(model.takeDoubt()).toBe(true);
    expect(model.takeDoubt()).toBe(false);
    play(changed(member('PJSIP/320')));
    expect(model.takeDoubt()).toBe(true);
    play({ type: 'reload', module: 'chan_pjsip.so', at: 1 });
    expect(model.takeDoubt()).toBe(false);
    play({ type: 'reload', module: 'All', at: 1 });
    expect(model.takeDoubt()).toBe(true);
  });
});

describe('the waiting list', () => {
  it('is in the order of the places that Asterisk gives', () => {
    const { play, waiting } = desk(support);
    play(joins('a', { position: 1, count: 1 }), joins('b', { position: 2, count: 2 }));
    // Of higher priority.
    expect(play(joins('vip', { position: 1, count: 3 }))).toEqual(['join Support vip at 1']);
    expect(waiting()).toEqual(['vip', 'a', 'b']);
    expect(play(hangsUp('a'), abandons('a'), leaves('a', { position: 2, count: 2 }))).toEqual([
      'leave Support a at 2 abandoned',
    ]);
    expect(waiting()).toEqual(['vip', 'b']);
  });

  it('doubts itself where a caller leaves from another place, or others are counted', () => {
    const { play, model } = desk(queues({ Support: [[anna], ['a', 'b']] }));
    play(abandons('a'), leaves('a', { position: 1, count: 1 }), ends('a'));
    expect(model.takeDoubt()).toBe(false);
    play(joins('c', { position: 2, count: 2 }));
    play(leaves('b', { position: 2, count: 1 }));
    expect(model.takeDoubt()).toBe(true);
    play(joins('d', { position: 3, count: 3 }));
    expect(model.takeDoubt()).toBe(true);
  });

  it('takes a priority that was changed in silence over when it is told again', () => {
    const { play, waiting } = desk(queues({ Support: [[anna], ['a', 'b', 'c']] }));
    expect(play(queues({ Support: [[anna], ['c', 'a', 'b']] }))).toEqual([
      'leave Support c at 3 moved',
      'join Support c at 1',
    ]);
    expect(waiting()).toEqual(['c', 'a', 'b']);
  });

  it('gives the place of who transfers to whom is transferred', () => {
    const { play, waiting } = desk(queues({ Support: [[anna], ['a', 'consulting', 'b']] }));
    const transfer: PbxEvent = {
      type: 'attended-transfer',
      first: channel('held'),
      second: channel('consulting'),
      transferee: channel('customer'),
      target: undefined,
      success: true,
      at: 1000,
    };
    expect(play(transfer)).toEqual([
      'leave Support consulting at 2 transferred',
      'join Support customer at 2',
    ]);
    expect(play(ends('consulting'))).toEqual([]);
    expect(waiting()).toEqual(['a', 'customer', 'b']);
  });

  it('loses a channel that ends without having left, and doubts whether somebody took its place', () => {
    const { play, model } = desk(queues({ Support: [[anna], ['a']] }));
    expect(play(ends('a'))).toEqual(['leave Support a at 1 abandoned']);
    expect(model.takeDoubt()).toBe(true);
  });

  it('goes on through ten thousand callers without keeping any', () => {
    const { play, model } = desk(support);
    for (let i = 0; i < 10_000; i++)
      play(
        joins(`c${i}`),
        rings(`c${i}`, 'PJSIP/340'),
        answers(`c${i}`, 'PJSIP/340'),
        leaves(`c${i}`),
        connects(`c${i}`, 'PJSIP/340'),
      );
    expect(model.queue('Support')?.calls).toEqual([]);
    expect(model.takeDoubt()).toBe(false);
  });
});

describe('why a call left', () => {
  // The order of the real events, as app_queue.c of Asterisk 22 sends them.
  it.each<[string, string, PbxEvent[]]>([
    [
      'a member answered',
      'connected PJSIP/340',
      [rings('a', 'PJSIP/340'), answers('a', 'PJSIP/340'), leaves('a')],
    ],
    ['AgentConnect says who', 'connected PJSIP/340', [leaves('a'), connects('a', 'PJSIP/340')]],
    [
      'a member answered whom nobody told of',
      'connected PJSIP/999',
      [leaves('a'), connects('a', 'PJSIP/999')],
    ],
    ['the caller hung up', 'abandoned', [hangsUp('a'), abandons('a'), leaves('a')]],
    ['somebody hung the caller up', 'abandoned', [abandons('a'), leaves('a'), ends('a', 2)]],
    ['time ran out, and the dialplan goes on', 'timeout', [abandons('a'), leaves('a'), goesOn('a')]],
    ['time ran out, and the dialplan ends', 'timeout', [abandons('a'), leaves('a'), ends('a', 3)]],
    [
      'it was redirected',
      'transferred',
      [goesOn('a', '601'), abandons('a', {}, '601'), leaves('a', {}, '601')],
    ],
    [
      'it was redirected, and that shows later',
      'transferred',
      [abandons('a'), leaves('a'), goesOn('a', '601')],
    ],
    ['the caller chose another way', 'transferred', [leaves('a'), goesOn('a', '1')]],
  ])('%s: %s', (_, reason, events) => {
    const { play, waiting } = desk(support, joins('a'));
    expect(play(...events)).toEqual([`leave Support a at 1 ${reason}`]);
    expect(waiting()).toEqual([]);
  });

  it('is not the member that answered before and did not take it', () => {
    const { play } = desk(support, joins('a'));
    play(
      rings('a', 'PJSIP/340'),
      answers('a', 'PJSIP/340'),
      rings('a', bernd.interface),
      hangsUp('a'),
      abandons('a'),
    );
    expect(play(leaves('a'))).toEqual(['leave Support a at 1 abandoned']);
  });

  it('keeps what happens in the queue meanwhile in order', () => {
    const { play } = desk(support, joins('a'));
    expect(play(leaves('a'), joins('b', { count: 1 }), changed({ ...anna, paused: true }))).toEqual([]);
    expect(play(joins('x', { queue: 'Support2' }))).toEqual(['join Support2 x at 1']);
    expect(play(connects('a', 'PJSIP/340'))).toEqual([
      'leave Support a at 1 connected PJSIP/340',
      'join Support b at 1',
      'pause Support PJSIP/340',
    ]);
  });

  it('is not waited for without end', () => {
    const { play } = desk(support, joins('a', { at: 1000 }), leaves('a', { at: 1000 }));
    expect(play(joins('b', { at: 5000 }))).toEqual(['leave Support a at 1 connected', 'join Support b at 1']);
    play(abandons('b', { at: 5000 }), leaves('b', { at: 5000 }));
    expect(play({ ...changed(), at: 7000 })).toEqual(['leave Support b at 1 timeout']);
  });
});

describe('after the feed was away', () => {
  it('tells the difference', () => {
    const { play, waiting } = desk(
      queues({
        Support: [
          [anna, bernd],
          ['gone', 'taken', 'sent', 'stays'],
        ],
        Sales: [[], []],
      }),
    );
    const carla = member('PJSIP/320');
    expect(
      play(
        snapshot([channel('sent', { exten: '601' }), channel('stays')]),
        queues({
          Support: [
            [{ ...anna, paused: true }, carla],
            ['new', 'stays'],
          ],
        }),
      ),
    ).toEqual([
      'logout Support Local/370@internal/n',
      'leave Support gone at 1 abandoned',
      'leave Support taken at 1 abandoned',
      'leave Support sent at 1 transferred',
      'pause Support PJSIP/340',
      'login Support PJSIP/320',
      'join Support new at 1',
    ]);
    expect(waiting()).toEqual(['new', 'stays']);
    expect(waiting('Sales')).toBeUndefined();
  });

  it('says of who talks by now that somebody took the call', () => {
    const { play } = desk(queues({ Support: [[anna], ['a']] }));
    expect(play(snapshot([channel('a')], 'bridge'), queues({ Support: [[anna], []] }))).toEqual([
      'leave Support a at 1 connected',
    ]);
  });

  it('ends what it was about to say of those who left before', () => {
    const { play } = desk(support, joins('a'), leaves('a'));
    expect(play(snapshot(), support)).toEqual(['leave Support a at 1 connected']);
  });

  it('tells everything the first time: sessions outlive the bridge', () => {
    const { play } = desk();
    expect(play(queues({ Support: [[anna], ['a']] }))).toEqual([
      'login Support PJSIP/340',
      'join Support a at 1',
    ]);
  });

  it('takes what came while the list was read on top of it', () => {
    const meanwhile = [
      joins('b', { position: 2, count: 2 }),
      hangsUp('a'),
      abandons('a'),
      leaves('a', { count: 1 }),
      removed(),
    ];
    const { play, waiting, members, model } = desk();
    play(queues({ Support: [[anna, bernd], ['a']] }, 1000, meanwhile));
    expect(waiting()).toEqual(['b']);
    expect(members()).toEqual(['PJSIP/340']);
    // Told by events already, it is not told by the list.
    expect(play(queues({ Support: [[anna, bernd], ['a']] }, 1000, meanwhile))).toEqual([]);
    expect(model.takeDoubt()).toBe(false);
  });

  it('knows of events that are older than the list what it knows already', () => {
    const { play, waiting } = desk(queues({ Support: [[anna], ['a', 'b']] }));
    expect(play(joins('a'), leaves('gone'), abandons('gone'))).toEqual([]);
    expect(waiting()).toEqual(['a', 'b']);
  });
});
