import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api, user } from './harness.ts';

const anna = 'tweber@example.org/desk';
const max = 'mmeyer@example.org/desk';
const relocate = (location: string) => xml('RelocateUser', { location });
const find = xml('Find', {});
const ok = expect.stringContaining('<Success><message>Ok</message></Success>');
const subscribe = xml('AddSubscription', {}, [xml('Subscription', { module: 'location', type: '*' })]);

describe('Find', () => {
  it('lists what the user may sit down at, supervisors everything, with who sits there', async () => {
    const { ask } = api();
    expect(await ask(max, 'location', relocate('Desk 1'))).toEqual(ok);
    expect(await ask(anna, 'location', find)).toBe(
      "<cmd xmlns='http://www.pascom.net/mobydick' module='location'><LocationList>" +
        "<Location name='Desk 1' isstatic='false' username='mmeyer'/></LocationList></cmd>",
    );
    const all = "<Location name='Reception' isstatic='false' username=''/></LocationList>";
    expect(await ask(max, 'location', find)).toContain(all);
    expect(await ask('boss@example.org/desk', 'location', find)).toContain(all);
  });
});

describe('RelocateUser', () => {
  it('makes the place’s devices the user’s, and tells dialplan and user', async () => {
    const { ask, actions, sent, models } = api();
    await ask(anna, 'event', subscribe);
    await ask(max, 'event', subscribe);
    expect(await ask(anna, 'location', relocate('Desk 1'))).toEqual(ok);
    const ring = 'PJSIP/desk1&PJSIP/340&PJSIP/341&PJSIP/342,30';
    expect(actions).toEqual([
      ['dbPut', 'OFFHOOK_INTERNAL', '340', ring],
      ['dbPut', 'OFFHOOK_EXTERNAL', '340', ring],
      ['dbPut', 'OFFHOOK_QUEUE', '340', ring],
      ['dbPut', 'OFFHOOK_SEAT', 'desk1', '340:Thomas Weber'],
    ]);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatch(
      /<SetLocation eventType='login' eventId='tweber'><LocationList><Location name='Thomas Weber' isstatic='true' username='tweber'>.*<Location name='Desk 1' isstatic='false' username='tweber'><DeviceEntry .*<Phonedevice name='Phone of desk 1'/,
    );
    const { devices } = models.places.directory.current.byName('tweber') ?? {};
    expect(devices?.map(({ device }) => device)).toEqual([
      'PJSIP/desk1',
      'PJSIP/340',
      'PJSIP/341',
      'PJSIP/342',
    ]);
    expect(await ask(anna, 'xmppuser', xml('FindUserInfo', {}))).toContain("name='Phone of desk 1'");
  });

  it('dials from there', async () => {
    const { ask, actions } = api();
    await ask(anna, 'location', relocate('Desk 1'));
    expect(await ask(anna, 'base', xml('Dial', { target: '370' }))).toEqual(ok);
    expect(actions.at(-1)).toMatchObject(['originate', { device: 'PJSIP/desk1', callerNumber: '340' }]);
  });

  it('takes a place over; both are told', async () => {
    const { ask, actions, sent } = api();
    for (const who of [anna, max]) await ask(who, 'event', subscribe);
    await ask(anna, 'location', relocate('Desk 1'));
    sent.length = 0;
    actions.length = 0;
    expect(await ask(max, 'location', relocate('Desk 1'))).toEqual(ok);
    const told = (who: string) => sent.filter((stanza) => stanza.includes(`to='${who}`)).join();
    expect(told('tweber')).toContain("eventType='logout'");
    expect(told('tweber')).not.toContain('Desk 1');
    expect(told('mmeyer')).toContain("eventType='login'");
    expect(actions).toContainEqual(['dbPut', 'OFFHOOK_SEAT', 'desk1', '370:Max Meyer']);
    expect(actions.filter(([verb, , key]) => verb === 'dbDel' && key === '340')).toHaveLength(3);
  });

  it('lets one of two have it who come at the same moment', async () => {
    const { ask } = api();
    const [first, second] = await Promise.all([
      ask(anna, 'location', relocate('Desk 1')),
      ask(max, 'location', relocate('Desk 1')),
    ]);
    expect(first).toEqual(ok);
    expect(second).toMatch(/code='rejected'.*Thomas Weber is just sitting down at Desk 1/);
    expect(await ask(anna, 'location', find)).toContain("username='tweber'");
  });

  it.each([
    ['Nowhere', "code='no-such-place'"],
    ['Thomas Weber', "code='no-such-place'"],
    ['Reception', "code='not-permitted'"],
  ])('refuses %s and changes nothing', async (place, answer) => {
    const { ask, actions } = api();
    expect(await ask(anna, 'location', relocate(place))).toContain(answer);
    expect(actions).toEqual([]);
  });

  it('changes nothing where the dialplan cannot be told, and is put on record', async () => {
    const { ask, fail, sent, audited } = api();
    await ask(anna, 'event', subscribe);
    fail(new Failure('pbx-unavailable', 'away'));
    expect(await ask(anna, 'location', relocate('Desk 1'))).toContain("code='pbx-unavailable'");
    fail(undefined);
    expect(sent).toEqual([]);
    expect(await ask(anna, 'location', find)).toContain("username=''");
    expect(audited).toMatchObject([{ command: 'location.RelocateUser', outcome: 'pbx-unavailable' }]);
  });
});

describe('LogoutUser', () => {
  it('leaves the own place only', async () => {
    const { ask, sent, actions } = api();
    await ask(anna, 'event', subscribe);
    await ask(anna, 'location', relocate('Desk 1'));
    expect(await ask(anna, 'location', xml('LogoutUser', {}))).toEqual(ok);
    expect(sent.at(-1)).toContain("<SetLocation eventType='logout' eventId='tweber'>");
    expect(actions.filter(([verb]) => verb === 'dbDel')).toHaveLength(4);
    expect(await ask(anna, 'location', find)).toContain("username=''");
  });

  it('is fine for who sits nowhere', async () => {
    const { ask, sent, actions } = api();
    await ask(anna, 'event', subscribe);
    expect(await ask(anna, 'location', xml('LogoutUser', {}))).toEqual(ok);
    expect([sent, actions]).toEqual([[], []]);
  });
});

it('who is no longer allowed to sit there gets up', async () => {
  const { ask, sent, change } = api();
  await ask(max, 'event', subscribe);
  change(user('tweber', '340', 'Thomas Weber', { groups: new Set(['Front']) }));
  expect(await ask(anna, 'location', relocate('Reception'))).toEqual(ok);
  await ask(anna, 'event', subscribe);
  change(user('tweber', '340', 'Thomas Weber'));
  expect(sent.at(-1)).toContain("eventType='logout'");
  expect(await ask('boss@example.org/desk', 'location', find)).toContain(
    "name='Reception' isstatic='false' username=''",
  );
});
