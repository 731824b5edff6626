import { describe, expect, it } from 'vitest';
import type { Deflection } from '../../src/deflections.ts';
import { Failure } from '../../src/errors.ts';
import { xml } from '../../src/protocol/xml.ts';
import { numberPattern } from '../../src/rules/pattern.ts';
import { api } from './harness.ts';

const anna = 'tweber@example.org/desk';
const set = (attributes: Record<string, string>) => xml('Set', attributes);
const ok = expect.stringContaining('<Success><message>Ok</message></Success>');

describe('Set', () => {
  it.each([
    [{ target: '370' }, ['dbPut', 'CF', '340', '370']],
    [{ target: 'mmeyer@example.org', type: 'busy' }, ['dbPut', 'CFB', '340', '370']],
    [
      { target: '+49 (170) 12-34', type: 'noanswer', prefix: 'auto' },
      ['dbPut', 'CFU', '340', '000491701234'],
    ],
    [{ target: '' }, ['dbDel', 'CF', '340']],
    [{ type: 'noanswer' }, ['dbDel', 'CFU', '340']],
  ])('%j keeps it where the dialplan reads it', async (attributes, action) => {
    const { ask, actions } = api();
    expect(await ask(anna, 'redirect', set(attributes))).toEqual(ok);
    expect(actions).toEqual([action]);
  });

  it.each([
    [{ target: '340' }, "code='invalid-target'"],
    [{ target: '3&4' }, "code='invalid-target'"],
    [{ target: 'stranger@example.org' }, "code='no-such-user'"],
    [{ target: '370', type: 'sometimes' }, 'bad-request'],
    [{ target: '0900123' }, "code='not-permitted'"],
    [{ target: '112' }, "code='not-permitted'"],
  ])('refuses %j and changes nothing', async (attributes, answer) => {
    const { ask, actions, allow } = api();
    const [costly, help] = [numberPattern('0900.'), numberPattern('112')];
    if (costly === undefined || help === undefined) throw new Error('no pattern');
    allow({
      always: [help],
      dialing: [{ roles: new Set(['xmpp.connect']), allow: [], deny: [costly, help] }],
    });
    expect(await ask(anna, 'redirect', set(attributes))).toContain(answer);
    expect(actions).toEqual([]);
  });

  it('says what the telephone system says, and is put on record', async () => {
    const { ask, fail, audited } = api();
    fail(new Failure('pbx-unavailable', 'The telephone system is away.'));
    expect(await ask(anna, 'redirect', set({ target: '370' }))).toContain("code='pbx-unavailable'");
    expect(audited).toMatchObject([{ command: 'redirect.Set', outcome: 'pbx-unavailable' }]);
  });
});

describe('SetDoNotDisturb', () => {
  it('is kept where the dialplan reads it, and shown', async () => {
    const { ask, actions } = api();
    expect(await ask(anna, 'redirect', xml('SetDoNotDisturb', { state: 'on' }))).toEqual(ok);
    expect(await ask(anna, 'redirect', xml('FindOwn', {}))).toContain('<doNotDisturb>true</doNotDisturb>');
    expect(await ask(anna, 'redirect', xml('SetDoNotDisturb', { state: 'off' }))).toEqual(ok);
    expect(actions).toEqual([
      ['dbPut', 'DND', '340', 'YES'],
      ['dbDel', 'DND', '340'],
    ]);
    expect(await ask(anna, 'redirect', xml('SetDoNotDisturb', { state: 'maybe' }))).toMatch(/^bad-request/);
  });
});

it('FindOwn and UserInfo tell where calls go', async () => {
  const { ask } = api();
  await ask(anna, 'redirect', set({ target: '370' }));
  await ask(anna, 'redirect', set({ target: '320', type: 'busy' }));
  const entry =
    "<RedirectEntry eventType='update' eventId='340'><source>340</source><target>370</target><old/>" +
    '<busy>320</busy><noanswer/><doNotDisturb>false</doNotDisturb></RedirectEntry>';
  expect(await ask(anna, 'redirect', xml('FindOwn', {}))).toContain(entry);
  expect(await ask(anna, 'xmppuser', xml('FindUserInfo', {}))).toContain(entry);
});

it('RedirectEntry tells the user, and a supervisor who asked for everybody’s', async () => {
  const { ask, tell, sent } = api();
  const subscribe = (scope: string) =>
    xml('AddSubscription', {}, [xml('Subscription', { module: 'redirect', type: 'RedirectEntry', scope })]);
  await ask(anna, 'event', subscribe('user'));
  await ask('mmeyer@example.org/desk', 'event', subscribe('user'));
  await ask('boss@example.org/desk', 'event', subscribe('supervisor'));
  const before: Deflection = { always: '320', busy: '', noanswer: '', doNotDisturb: false };
  tell({ kind: 'deflection', extension: '340', before, now: { ...before, always: '370' }, at: 1 });
  tell({ kind: 'deflection', extension: '999', before, now: { ...before, always: '370' }, at: 1 });
  expect(sent).toHaveLength(2);
  expect(sent[0]).toContain(
    "<RedirectEntry eventType='update' eventId='340'><source>340</source><target>370</target><old>320</old>",
  );
  expect(sent.join()).toContain("to='boss@example.org/desk'");
});
