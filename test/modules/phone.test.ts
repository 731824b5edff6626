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
      ['notify', 'PJSIP/340', 'talk'],
      ['notify', 'PJSIP/340', 'talk'],
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
