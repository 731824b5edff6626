import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api, parkedCall, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const max = 'mmeyer@example.org/desk';
const boss = 'boss@example.org/x';
const success =
  "<cmd xmlns='http://www.pascom.net/mobydick' module='base'><Success><message>Ok</message></Success></cmd>";
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);

const own = view().channel;
const other = 'PJSIP/370-00000000' as ChannelId;
/** 340 talks to 370. */
const talking = view({ state: 'busy', busySince: 5000 });
const maxRings = view({ channel: other, device: 'PJSIP/370' as DeviceName, state: 'ringing' });
const ring = (device: string, name: string, number: string) => ({
  uniqueId: expect.stringMatching(/^offhook-[0-9a-f-]{36}$/),
  device,
  callerName: name,
  callerNumber: number,
  ringMs: 30_000,
});

describe('Pickup', () => {
  it.each([['370'], ['mmeyer'], ['mmeyer@example.org'], ['3 70']])(
    'takes the call that rings at %s',
    async (target) => {
      const { ask, actions, views } = api();
      views.push(maxRings);
      expect(await ask(anna, 'base', xml('Pickup', { target }))).toBe(success);
      expect(actions).toEqual([['pickup', ring('PJSIP/340', 'Thomas Weber', '340'), other]]);
    },
  );

  it('takes one’s own call at another device', async () => {
    const { ask, actions, views } = api();
    views.push(view({ device: 'PJSIP/341' as DeviceName, channel: 'PJSIP/341-00000009' as ChannelId }));
    expect(await ask(anna, 'base', xml('Pickup', { target: '340', device: 'Desk 340' }))).toBe(success);
    expect(actions).toEqual([['pickup', ring('PJSIP/340', 'Thomas Weber', '340'), 'PJSIP/341-00000009']]);
  });

  it('is for those who share a pickup group', async () => {
    const { ask, actions, views, change } = api();
    change(user('mmeyer', '370', 'Max Meyer', { callGroups: new Set(['attic']) }));
    views.push(maxRings);
    expect(await ask(anna, 'base', xml('Pickup', { target: '370' }))).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'base', xml('Pickup', { target: '370' }))).toEqual(failure('not-permitted'));
    expect(actions).toEqual([]);
  });

  it.each([
    ['nobody rings', [], '370', 'no-active-call'],
    ['it is answered already', [view({ ...maxRings, state: 'busy' })], '370', 'no-active-call'],
    ['the colleague is the one who calls', [view({ ...maxRings, outbound: true })], '370', 'no-active-call'],
    ['nobody has that number', [maxRings], '371', 'no-such-user'],
    ['it is no number', [maxRings], 'reception', 'invalid-target'],
    ['the own device talks', [maxRings, talking], '370', 'device-busy'],
  ])('is refused where %s', async (_, present, target, code) => {
    const { ask, actions, views } = api();
    views.push(...present);
    expect(await ask(anna, 'base', xml('Pickup', { target }))).toEqual(failure(code));
    expect(actions).toEqual([]);
  });
});

describe('attended transfer', () => {
  it('consults on the user’s channel', async () => {
    const { ask, actions, views } = api();
    views.push(talking);
    const request = xml('AttendedTransfer', { channel: own, target: 'boss@example.org' });
    expect(await ask(anna, 'base', request)).toBe(success);
    expect(actions).toEqual([['attendedTransfer', own, 'internal', '320']]);
  });

  it('consults one at a time, with somebody who waits, and only in one’s own call', async () => {
    const { ask, actions, views, consulting } = api();
    const request = xml('AttendedTransfer', { channel: own, target: '320' });
    expect(await ask(anna, 'base', request)).toEqual(failure('no-such-channel'));
    views.push(view({ state: 'busy', refChannel: '', service: 'mailbox' }));
    expect(await ask(anna, 'base', request)).toEqual(failure('no-active-call'));
    views[0] = talking;
    expect(await ask(max, 'base', request)).toEqual(failure('not-permitted'));
    consulting.add(own);
    expect(await ask(anna, 'base', request)).toEqual(failure('rejected'));
    expect(actions).toEqual([]);
  });

  it.each([
    ['CompleteTransfer', ['hangup', own]],
    ['CancelTransfer', ['cancelTransfer', own]],
  ])('%s ends what the telephone system began', async (name, action) => {
    const { ask, actions, views, consulting } = api();
    views.push(talking);
    consulting.add(own);
    expect(await ask(anna, 'base', xml(name, { channel: own }))).toBe(success);
    expect(actions).toEqual([action]);
  });

  const held = view({ state: 'busy', held: true });
  const second = view({
    channel: 'PJSIP/340-00000003' as ChannelId,
    state: 'busy',
    outbound: true,
    refChannel: 'PJSIP/320-00000004' as ChannelId,
  });

  it.each([
    ['CompleteTransfer', own, ['join', other, 'PJSIP/320-00000004']],
    ['CompleteTransfer', second.channel, ['join', other, 'PJSIP/320-00000004']],
    ['CancelTransfer', own, ['hangup', second.channel]],
    ['CancelTransfer', second.channel, ['hangup', second.channel]],
  ])('%s with %s ends what was begun on the telephone', async (name, channel, action) => {
    const { ask, actions, views } = api();
    views.push(held, second);
    expect(await ask(anna, 'base', xml(name, { channel }))).toBe(success);
    expect(actions).toEqual([action]);
  });

  it.each([
    ['there is one call', [talking], 'no-active-call'],
    ['nobody is on hold', [talking, second], 'no-active-call'],
    [
      'there are three',
      [held, second, view({ ...second, channel: 'PJSIP/340-00000005' as ChannelId })],
      'rejected',
    ],
    ['the consulted one still rings', [held, view({ ...second, state: 'ringing' })], 'no-active-call'],
  ])('CompleteTransfer never ends a call where %s', async (_, present, code) => {
    const { ask, actions, views } = api();
    views.push(...present);
    expect(await ask(anna, 'base', xml('CompleteTransfer', { channel: own }))).toEqual(failure(code));
    expect(actions).toEqual([]);
  });
});

describe('Park', () => {
  it('parks the other party and says where', async () => {
    const { ask, actions, views } = api();
    views.push(talking);
    const answer = await ask(anna, 'base', xml('Park', { channel: own, lot: 'sales' }));
    expect(answer).toContain('<Success><message>Ok</message><space>701</space></Success>');
    expect(actions).toEqual([['park', other, own, 'sales']]);
    expect(await ask(max, 'base', xml('Park', { channel: own }))).toEqual(failure('not-permitted'));
    expect(await ask(anna, 'base', xml('Park', { channel: own, lot: 'a,b' }))).toMatch(
      /^bad-request: Park: attribute 'lot'/,
    );
  });

  it('lists what is parked', async () => {
    const { ask, parked, at } = api();
    at(100_000);
    parked.push(parkedCall(other, { waited: 40 }), parkedCall(own, { lot: 'sales', space: '801' }));
    const all = await ask(anna, 'base', xml('FindParked'));
    expect(all).toContain(
      "<ParkedCall space='701' lot='default' channel='PJSIP/370-00000000' callerName='Max Meyer' callerNumber='370' since='60000' timeout='45'/>",
    );
    expect(all.match(/<ParkedCall /g)).toHaveLength(2);
    const one = await ask(anna, 'base', xml('FindParked', { lot: 'sales' }));
    expect(one.match(/space='(\d+)'/g)).toEqual(["space='801'"]);
  });

  it('tells who parked, who is parked and who fetched', async () => {
    const { ask, tell, sent } = api();
    const subscribe = xml('AddSubscription', {}, [
      xml('Subscription', { module: 'base', type: 'ParkEvent' }),
    ]);
    for (const jid of [anna, max, boss]) await ask(jid, 'event', subscribe);
    const change = {
      kind: 'park',
      uniqueId: '1.0',
      lot: 'default',
      space: '701',
      channel: other,
      caller: { number: '370', name: 'M' },
      parker: 'PJSIP/340',
      timeout: 45,
      at: 1,
    } as const;
    tell({ ...change, type: 'parked', retriever: '' });
    expect(sent.map((stanza) => /to='(\w+)@/.exec(stanza)?.[1]).sort()).toEqual(['mmeyer', 'tweber']);
    expect(sent[0]).toContain(
      '<ParkEvent><eventType>parked</eventType><eventId>PJSIP/370-00000000</eventId><space>701</space><lot>default</lot>' +
        '<callerName>Max Meyer</callerName><callerNumber>370</callerNumber><parker>tweber</parker><retriever/>' +
        '<timeout>45</timeout></ParkEvent>',
    );
    tell({ ...change, type: 'retrieved', retriever: 'PJSIP/320' as DeviceName });
    expect(
      sent
        .slice(2)
        .map((stanza) => /to='(\w+)@/.exec(stanza)?.[1])
        .sort(),
    ).toEqual(['boss', 'mmeyer', 'tweber']);
  });
});

describe('SendDigits', () => {
  it('goes to the other party, or into the service', async () => {
    const { ask, actions, views } = api();
    views.push(talking);
    const request = xml('SendDigits', { channel: own, digits: '12*#A' });
    expect(await ask(anna, 'base', request)).toBe(success);
    views[0] = view({ state: 'busy', refChannel: '', service: 'mailbox' });
    expect(await ask(anna, 'base', request)).toBe(success);
    expect(actions).toEqual([
      ['sendDigits', other, '12*#A', 'sent'],
      ['sendDigits', own, '12*#A', 'received'],
    ]);
    views[0] = view();
    expect(await ask(anna, 'base', request)).toEqual(failure('no-active-call'));
  });
});

describe('Mute', () => {
  it.each([
    [{}, ['in', true]],
    [{ state: 'off', direction: 'all' }, ['all', false]],
  ])('%j', async (attributes, expected) => {
    const { ask, actions, views } = api();
    views.push(talking);
    expect(await ask(anna, 'base', xml('Mute', { channel: own, ...attributes }))).toBe(success);
    expect(actions).toEqual([['mute', own, ...expected]]);
    expect(await ask(max, 'base', xml('Mute', { channel: own }))).toEqual(failure('not-permitted'));
  });
});

describe('Listen', () => {
  const listen = xml('Listen', { channel: own, mode: 'whisper' });
  const modes = new Set(['listen', 'whisper'] as const);

  it('is off until the configuration allows modes, and for supervisors', async () => {
    const { ask, actions, views, allow } = api();
    views.push(talking);
    expect(await ask(boss, 'base', listen)).toEqual(failure('not-available'));
    allow({ listen: { modes, announce: undefined } });
    expect(await ask(anna, 'base', listen)).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'base', xml('Listen', { channel: own, mode: 'barge' }))).toEqual(
      failure('not-permitted'),
    );
    expect(await ask(boss, 'base', listen)).toBe(success);
    expect(actions).toEqual([['listen', ring('PJSIP/320', 'Bea Boss', '320'), own, 'whisper']]);
  });

  it('announces itself first, and does not listen where nobody could be told', async () => {
    const { ask, actions, views, allow, fail } = api();
    views.push(talking);
    allow({ listen: { modes, announce: '*55' } });
    await ask(boss, 'base', listen);
    expect(actions.map(([verb, ...args]) => [verb, args[0]])).toEqual([
      ['announce', own],
      ['listen', ring('PJSIP/320', 'Bea Boss', '320')],
    ]);
    actions.length = 0;
    fail(new Failure('rejected', 'Originate failed'));
    expect(await ask(boss, 'base', listen)).toEqual(failure('rejected'));
    expect(actions).toEqual([]);
  });

  it('stays within the supervisor’s groups where the configuration says so', async () => {
    const { ask, actions, views, allow, change } = api();
    views.push(talking);
    allow({ listen: { modes, announce: undefined }, supervisorsWithinGroups: true });
    expect(await ask(boss, 'base', listen)).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'base', xml('Hangup', { channel: own }))).toEqual(failure('not-permitted'));
    expect(await ask(boss, 'base', xml('Hangup', { channel: 'PJSIP/trunk-00000001' }))).toEqual(
      failure('no-such-channel'),
    );
    expect(await ask(boss, 'base', xml('FindChannels', { scope: 'supervisor' }))).not.toContain(
      '<ChannelEvent>',
    );
    expect(actions).toEqual([]);
    const groups = new Set(['sales']);
    change(
      user('tweber', '340', 'Thomas Weber', { groups }),
      user('boss', '320', 'Bea Boss', { groups, roles: new Set(['xmpp.connect', 'xmpp.supervisor']) }),
    );
    expect(await ask(boss, 'base', listen)).toBe(success);
  });

  it('is not for one’s own call', async () => {
    const { ask, views, allow } = api();
    allow({ listen: { modes, announce: undefined } });
    views.push(view({ device: 'PJSIP/320' as DeviceName, state: 'busy' }));
    expect(await ask(boss, 'base', listen)).toEqual(failure('not-permitted'));
  });
});

describe('the audit trail', () => {
  it('has one entry for every attempt at a change, and none for questions', async () => {
    const { ask, audited, views } = api();
    views.push(talking);
    await ask(anna, 'base', xml('Dial', { target: '370' }));
    await ask(max, 'base', xml('Hangup', { channel: own }));
    await ask(anna, 'base', xml('SendDigits', { channel: own, digits: '4711' }));
    await ask(anna, 'base', xml('Mute', { channel: own, state: 'maybe' }));
    await ask('stranger@elsewhere.org', 'base', xml('Dial', { target: '370' }));
    await ask(anna, 'base', xml('FindChannels'));
    const who = { user: 'tweber', jid: anna, at: 1000 };
    expect(audited).toEqual([
      { ...who, command: 'base.Dial', on: { target: '370' }, outcome: 'ok', reason: '' },
      {
        user: 'mmeyer',
        jid: max,
        at: 1000,
        command: 'base.Hangup',
        on: { channel: own },
        outcome: 'not-permitted',
        reason: 'This is not your call.',
      },
      { ...who, command: 'base.SendDigits', on: { channel: own, digits: '(4)' }, outcome: 'ok', reason: '' },
      expect.objectContaining({ command: 'base.Mute', outcome: 'bad-request' }),
      expect.objectContaining({ user: '', jid: 'stranger@elsewhere.org', outcome: 'forbidden' }),
    ]);
  });
});

describe('hostile parameters', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      own,
      other,
      '370',
      'mmeyer',
      'on',
      'all',
      'listen',
      '1&Local/1',
      '1,2',
      '$' + '{SHELL(id)}',
      '1\r\nA: b',
    ),
    fc.stringMatching(/^[0-9A-D*#]{0,40}$/),
  );
  const number = /^\+?[0-9*#]{1,40}$/;

  it.each([
    ['Pickup', ['target', 'device'], 'pickup'],
    ['AttendedTransfer', ['channel', 'target', 'prefix'], 'attendedTransfer'],
    ['CompleteTransfer', ['channel'], 'join'],
    ['CancelTransfer', ['channel'], 'hangup'],
    ['Park', ['channel', 'lot'], 'park'],
    ['SendDigits', ['channel', 'digits'], 'sendDigits'],
    ['Mute', ['channel', 'state', 'direction'], 'mute'],
    ['Listen', ['channel', 'mode', 'device'], 'listen'],
  ] as const)('%s makes one well-formed action or none', async (name, parameters, verb) => {
    const values = fc.array(fc.option(nasty, { nil: undefined }), {
      minLength: parameters.length,
      maxLength: parameters.length,
    });
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        const { ask, actions, views, allow } = api();
        allow({ listen: { modes: new Set(['listen', 'whisper', 'barge']), announce: undefined } });
        views.push(talking, maxRings);
        const attributes = Object.fromEntries(parameters.map((key, index) => [key, given[index]]));
        const who = name === 'Listen' ? boss : anna;
        const answer = await ask(who, 'base', xml(name, attributes));
        expect(answer).not.toContain('internal-server-error');
        expect(actions).toHaveLength(answer.includes('<Success>') ? 1 : 0);
        for (const [used, ...args] of actions) {
          expect(used).toBe(verb);
          if (used === 'pickup') expect(args).toEqual([expect.anything(), other]);
          if (used === 'attendedTransfer')
            expect(args).toEqual([own, 'internal', expect.stringMatching(number)]);
          if (used === 'sendDigits')
            expect(args).toEqual([other, expect.stringMatching(/^[0-9A-D*#]{1,32}$/), 'sent']);
          if (used === 'park') expect(args.slice(0, 2)).toEqual([other, own]);
          if (used === 'mute')
            expect(args).toEqual([own, expect.stringMatching(/^(in|out|all)$/), expect.any(Boolean)]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
