import { describe, expect, it } from 'vitest';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const max = 'mmeyer@example.org/desk';
const boss = 'boss@example.org/x';
const success = expect.stringContaining('<Success><message>Ok</message></Success>');
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);
const own = view().channel;
const other = 'PJSIP/370-00000007' as ChannelId;

/** Thomas and Max are in room 800, which the configuration lists together with 801. */
function meeting() {
  const made = api();
  made.allow({
    conferences: new Map([
      ['800', '800'],
      ['801', '801'],
    ]),
  });
  const room = {
    service: 'conference',
    state: 'busy',
    refChannel: '',
    other: { number: '800', name: '' },
  } as const;
  made.views.push(view(room), view({ ...room, channel: other, device: 'PJSIP/370' as DeviceName }));
  made.rooms.push({
    room: '800',
    locked: false,
    members: [
      { channel: own, callerName: 'Thomas Weber', callerNumber: '340', muted: false },
      { channel: other, callerName: 'Max Meyer', callerNumber: '370', muted: true },
    ],
  });
  return made;
}

describe('Find', () => {
  it('lists rooms, and members to those who are inside', async () => {
    const { ask, views } = meeting();
    const inside = await ask(anna, 'conference', xml('Find'));
    expect(inside).toContain(
      "<Conference room='800' target='800' locked='false'><ConferenceMember channel='PJSIP/340-00000001' name='Thomas Weber' number='340' muted='false'/>",
    );
    expect(inside).toContain("<Conference room='801' target='801' locked='false'/>");
    views.length = 0;
    expect(await ask(anna, 'conference', xml('Find'))).not.toContain('ConferenceMember');
    expect(await ask(boss, 'conference', xml('Find'))).toContain('ConferenceMember');
  });
});

describe('Invite', () => {
  it('rings a user’s telephone, or dials a number, and leads it into the room', async () => {
    const { ask, actions } = meeting();
    expect(await ask(anna, 'conference', xml('Invite', { room: '800', target: 'boss@example.org' }))).toEqual(
      success,
    );
    expect(await ask(anna, 'conference', xml('Invite', { room: '800', target: '004989123' }))).toEqual(
      success,
    );
    const call = { callerName: 'Thomas Weber', callerNumber: '340', context: 'internal', exten: '800' };
    expect(actions).toEqual([
      ['originate', expect.objectContaining({ ...call, device: 'PJSIP/320' })],
      ['originate', expect.objectContaining({ ...call, device: 'Local/004989123@internal' })],
    ]);
  });

  it.each([
    [anna, '802', '320', 'not-available'],
    [anna, '801', '320', 'not-permitted'],
    [boss, '801', '340', 'not-available'],
    [anna, '800', 'a&b', 'invalid-target'],
  ])('%s cannot invite into %s: %s', async (who, room, target, code) => {
    const { ask, actions } = meeting();
    expect(await ask(who, 'conference', xml('Invite', { room, target }))).toEqual(failure(code));
    expect(actions).toEqual([]);
  });
});

describe('members', () => {
  it('act on themselves, supervisors on all', async () => {
    const { ask, actions } = meeting();
    expect(await ask(anna, 'conference', xml('Mute', { room: '800', channel: own }))).toEqual(success);
    expect(await ask(anna, 'conference', xml('Mute', { room: '800', channel: other }))).toEqual(
      failure('not-permitted'),
    );
    expect(await ask(anna, 'conference', xml('Kick', { room: '800', channel: other }))).toEqual(
      failure('not-permitted'),
    );
    expect(await ask(boss, 'conference', xml('Kick', { room: '800', channel: other }))).toEqual(success);
    expect(await ask(boss, 'conference', xml('Mute', { room: '801', channel: own }))).toEqual(
      failure('no-such-channel'),
    );
    expect(await ask(anna, 'conference', xml('Mute', { room: '8,1', channel: own }))).toMatch(
      /^bad-request: Mute: attribute 'room'/,
    );
    expect(actions).toEqual([
      ['conferenceMute', '800', own, true],
      ['conferenceKick', '800', other],
    ]);
  });

  it('lock the room they are in', async () => {
    const { ask, actions, views } = meeting();
    expect(await ask(anna, 'conference', xml('Lock', { room: '800', state: 'off' }))).toEqual(success);
    views.length = 0;
    expect(await ask(max, 'conference', xml('Lock', { room: '800' }))).toEqual(failure('not-permitted'));
    expect(actions).toEqual([['conferenceLock', '800', false]]);
  });

  it('hear of a lock, also of one that was made in the room, once', async () => {
    const { ask, rooms, sent } = meeting();
    await ask(
      max,
      'event',
      xml('AddSubscription', {}, [xml('Subscription', { module: 'conference', type: '*' })]),
    );
    /** How the room is by now, as Asterisk would list it. */
    const be = (locked: boolean) => rooms.push(...rooms.splice(0).map((room) => ({ ...room, locked })));
    const lock = async (state: 'on' | 'off') => {
      await ask(anna, 'conference', xml('Lock', { room: '800', state }));
      be(state === 'on');
    };
    await lock('on');
    await lock('on');
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain(
      `<ConferenceEvent><eventType>lock</eventType><eventId>${own}</eventId><room>800</room><name>Thomas Weber</name><number>340</number>`,
    );
    await lock('off');
    expect(sent.at(-1)).toContain('<eventType>unlock</eventType>');
    be(true);
    for (const _ of [1, 2]) await ask(anna, 'conference', xml('Find'));
    expect(sent).toHaveLength(3);
    expect(sent.at(-1)).toContain('<eventType>lock</eventType><eventId/><room>800</room><name/>');
    // Everybody has left, and the room that the next ones meet in is another one, open as at first.
    be(false);
    await lock('on');
    expect(sent).toHaveLength(4);
    expect(sent.at(-1)).toContain(`<eventType>lock</eventType><eventId>${own}</eventId>`);
  });

  it('hear who comes, leaves and is silent', async () => {
    const { ask, tell, sent } = meeting();
    const subscribe = xml('AddSubscription', {}, [xml('Subscription', { module: 'conference', type: '*' })]);
    for (const jid of [anna, max, boss]) await ask(jid, 'event', subscribe);
    const caller = { number: '320', name: 'B' };
    tell({
      kind: 'conference',
      uniqueId: '9.0',
      present: [],
      type: 'join',
      room: '800',
      channel: 'PJSIP/320-00000009' as ChannelId,
      caller,
      at: 1,
    });
    expect(sent).toHaveLength(3);
    expect(sent[0]).toContain(
      '<ConferenceEvent><eventType>join</eventType><eventId>PJSIP/320-00000009</eventId><room>800</room><name>Bea Boss</name><number>320</number></ConferenceEvent>',
    );
    tell({
      kind: 'conference',
      uniqueId: '9.0',
      present: [],
      type: 'leave',
      room: '801',
      channel: 'PJSIP/trunk-1' as ChannelId,
      caller,
      at: 1,
    });
    expect(sent).toHaveLength(3);
  });
});
