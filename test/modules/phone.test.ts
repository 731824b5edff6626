import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { ChannelId } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api, device, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const boss = 'boss@example.org/x';
const success =
  "<cmd xmlns='http://www.pascom.net/mobydick' module='base'><Success><message>Ok</message></Success></cmd>";
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);

function office() {
  const made = api();
  const snom = device('Snom', 'PJSIP/340', new Set(['dial', 'offhook']));
  made.change(user('tweber', '340', 'Thomas Weber', { devices: [snom, device('Old', 'PJSIP/341')] }));
  return made;
}

describe('Offhook', () => {
  it('presses the key of a telephone that has it', async () => {
    const { ask, actions } = office();
    expect(await ask(anna, 'phone', xml('Offhook', { device: 'Snom' }))).toBe(success);
    expect(await ask(boss, 'phone', xml('Offhook', { device: 'Snom' }))).toBe(success);
    expect(actions).toEqual([
      ['notify', 'PJSIP/340', 'talk', undefined],
      ['notify', 'PJSIP/340', 'talk', undefined],
    ]);
  });

  it.each([
    [anna, 'Old', 'not-supported'],
    [anna, 'Desk 370', 'no-device'],
    [anna, 'Nowhere', 'no-device'],
    [boss, 'Nowhere', 'no-device'],
    ['mmeyer@example.org/x', 'Snom', 'no-device'],
  ])('%s and device %s: refused', async (who, name, code) => {
    const { ask, actions } = office();
    expect(await ask(who, 'phone', xml('Offhook', { device: name }))).toEqual(failure(code));
    expect(actions).toEqual([]);
  });

  it('says what is missing, and passes on what the telephone system says', async () => {
    const { ask, fail } = office();
    expect(await ask(anna, 'phone', xml('Offhook'))).toBe(
      "bad-request: Offhook: attribute 'device' is missing",
    );
    fail(new Failure('rejected', 'Unable to retrieve endpoint 340'));
    expect(await ask(anna, 'phone', xml('Offhook', { device: 'Snom' }))).toEqual(failure('rejected'));
  });
});

describe('Hangup', () => {
  const held = view({ channel: 'PJSIP/340-00000003' as ChannelId, state: 'busy', held: true, since: 3000 });
  const talking = view({ channel: 'PJSIP/340-00000001' as ChannelId, state: 'busy', since: 1000 });
  const ringing = view({ channel: 'PJSIP/340-00000002' as ChannelId, since: 2000 });

  it.each([
    ['the one that is talked on', [held, ringing, talking], talking],
    ['else the most recent one', [ringing, held], held],
  ])('ends %s', async (_, present, ended) => {
    const { ask, actions, views } = office();
    views.push(...present);
    expect(await ask(anna, 'phone', xml('Hangup', { device: 'Snom' }))).toBe(success);
    expect(actions).toEqual([['hangup', ended.channel]]);
  });

  it('acts on the named device only, and on one’s own', async () => {
    const { ask, actions, views } = office();
    views.push(talking);
    expect(await ask(anna, 'phone', xml('Hangup', { device: 'Old' }))).toEqual(failure('no-active-call'));
    expect(await ask('mmeyer@example.org/x', 'phone', xml('Hangup', { device: 'Snom' }))).toEqual(
      failure('no-device'),
    );
    expect(actions).toEqual([]);
    expect(await ask(boss, 'phone', xml('Hangup', { device: 'Snom' }))).toBe(success);
  });
});

describe('the keys Hold and Offhook', () => {
  const keys = new Set(['dial', 'offhook', 'hold'] as const);
  const talking = view({ channel: 'PJSIP/340-00000001' as ChannelId, state: 'busy' });

  it('go into the call that is meant', async () => {
    const { ask, actions, views, change } = api();
    change(user('tweber', '340', 'Thomas Weber', { devices: [device('Snom', 'PJSIP/340', keys)] }));
    expect(await ask(anna, 'phone', xml('Hold', { device: 'Snom' }))).toEqual(failure('no-active-call'));
    views.push(talking);
    await ask(anna, 'phone', xml('Hold', { device: 'Snom' }));
    views[0] = view({ ...talking, held: true });
    await ask(anna, 'phone', xml('Offhook', { device: 'Snom' }));
    views.push(view({ channel: 'PJSIP/340-00000002' as ChannelId }));
    await ask(anna, 'phone', xml('Offhook', { device: 'Snom' }));
    expect(actions).toEqual([
      ['notify', 'PJSIP/340', 'hold', 'PJSIP/340-00000001'],
      ['notify', 'PJSIP/340', 'talk', 'PJSIP/340-00000001'],
      ['notify', 'PJSIP/340', 'talk', 'PJSIP/340-00000002'],
    ]);
  });

  it('are refused where the telephone has none, or is away', async () => {
    const { ask, actions, deviceStates } = office();
    expect(await ask(anna, 'phone', xml('Hold', { device: 'Snom' }))).toEqual(failure('not-supported'));
    deviceStates.set('PJSIP/340', 'UNAVAILABLE');
    expect(await ask(anna, 'phone', xml('Offhook', { device: 'Snom' }))).toEqual(
      failure('device-unavailable'),
    );
    expect(actions).toEqual([]);
  });
});

describe('the keys Transfer and Conference', () => {
  const held = view({ state: 'busy', held: true });
  const active = view({
    channel: 'PJSIP/340-00000003' as ChannelId,
    state: 'busy',
    refChannel: 'PJSIP/320-00000004' as ChannelId,
  });

  it('join the held and the active call', async () => {
    const { ask, actions, views, allow } = office();
    expect(await ask(anna, 'phone', xml('Transfer', { device: 'Snom' }))).toEqual(failure('no-active-call'));
    views.push(held, active);
    expect(await ask(anna, 'phone', xml('Transfer', { device: 'Snom' }))).toBe(success);
    expect(await ask(anna, 'phone', xml('Conference', { device: 'Snom' }))).toEqual(failure('not-available'));
    allow({
      conferences: new Map([
        ['800', '800'],
        ['801', '9801'],
      ]),
    });
    expect(await ask(anna, 'phone', xml('Conference', { device: 'Snom' }))).toBe(success);
    expect(actions).toEqual([
      ['join', 'PJSIP/370-00000000', 'PJSIP/320-00000004'],
      ['redirect', active.channel, 'internal', '800', 'PJSIP/320-00000004'],
      ['redirect', 'PJSIP/370-00000000', 'internal', '800'],
    ]);
  });

  it('take a room that is free', async () => {
    const { ask, actions, views, allow, rooms } = office();
    views.push(held, active);
    allow({
      conferences: new Map([
        ['800', '800'],
        ['801', '9801'],
      ]),
    });
    rooms.push({ room: '800', locked: false, members: [] });
    await ask(anna, 'phone', xml('Conference', { device: 'Snom' }));
    expect(actions[0]?.[3]).toBe('9801');
    rooms.push({ room: '801', locked: false, members: [] });
    expect(await ask(anna, 'phone', xml('Conference', { device: 'Snom' }))).toEqual(failure('not-available'));
  });
});

describe('Notify', () => {
  it('is for supervisors, off by default, and sends what the configuration lists', async () => {
    const { ask, actions, allow } = office();
    const request = xml('Notify', { device: 'Snom', event: 'reboot' });
    expect(await ask(anna, 'phone', request)).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'phone', request)).toEqual(failure('not-available'));
    allow({ notify: new Set(['reboot']) });
    expect(await ask(boss, 'phone', request)).toBe(success);
    expect(await ask(boss, 'phone', xml('Notify', { device: 'Snom', event: 'x\r\ny' }))).toEqual(
      failure('not-permitted'),
    );
    expect(actions).toEqual([['notify', 'PJSIP/340', { template: 'reboot' }]]);
  });
});
