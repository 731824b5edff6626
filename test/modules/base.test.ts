import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { ChannelId, DeviceName } from '../../src/pbx/pbx.ts';
import { xml } from '../../src/protocol/xml.ts';
import { api, device, user, view } from './harness.ts';

const anna = 'tweber@example.org/desk';
const success =
  "<cmd xmlns='http://www.pascom.net/mobydick' module='base'><Success><message>Ok</message></Success></cmd>";
const failure = (code: string) => expect.stringContaining(`module='base'><Failure code='${code}'><message>`);
const call = {
  uniqueId: expect.stringMatching(/^offhook-[0-9a-f-]{36}$/),
  device: 'PJSIP/340',
  context: 'internal',
  exten: '370',
  callerName: 'Thomas Weber',
  callerNumber: '340',
  ringMs: 30_000,
};

describe('Dial', () => {
  it('calls from the first device that can', async () => {
    const { ask, actions } = api();
    expect(await ask(anna, 'base', xml('Dial', { target: '370' }))).toBe(success);
    expect(actions).toEqual([['originate', call]]);
  });

  it.each([
    [{ target: 'mmeyer@example.org' }, '370'],
    [{ target: 'MMeyer@Example.org/desk' }, '370'],
    [{ target: '+49 (89) 1234-567' }, '+49891234567'],
    [{ target: '0891234567', prefix: 'auto' }, '00891234567'],
    [{ target: '+49891234567', prefix: '9' }, '90049891234567'],
    [{ target: '+49 89 1234567', prefix: 'auto' }, '00049891234567'],
    [{ target: '370', prefix: 'auto' }, '370'],
    [{ target: '*100', prefix: 'auto' }, '*100'],
    [{ target: '0891234567', prefix: '9' }, '90891234567'],
    [{ viasetting: 'sys.voicebox' }, '*100'],
    [{ target: '370', prefix: '', device: '', viasetting: '' }, '370'],
  ])('understands %j', async (attributes, exten) => {
    const { ask, actions } = api();
    expect(await ask(anna, 'base', xml('Dial', attributes))).toBe(success);
    expect(actions).toEqual([['originate', { ...call, exten }]]);
  });

  it.each([
    [{ target: 'nobody@example.org' }, 'no-such-user'],
    [{ target: 'reception' }, 'invalid-target'],
    [{ target: '370&PJSIP/999' }, 'invalid-target'],
    [{ target: '1\r\nApplication: System' }, 'invalid-target'],
    [{ target: '٣٧٠' }, 'invalid-target'],
    [{ target: '1'.repeat(41) }, 'invalid-target'],
    [{ target: '1+1' }, 'invalid-target'],
    [{ target: '1'.repeat(40), prefix: '0' }, 'invalid-target'],
    [{ target: '   ' }, 'invalid-target'],
    [{ viasetting: 'sys.unknown' }, 'invalid-target'],
    [{ viasetting: 'sys.broken' }, 'invalid-target'],
    [{ target: '370', device: 'Desk 370' }, 'no-device'],
    [{ target: '370', device: 'Door' }, 'not-supported'],
  ])('refuses %j', async (attributes, code) => {
    const { ask, actions } = api();
    expect(await ask(anna, 'base', xml('Dial', attributes))).toEqual(failure(code));
    expect(actions).toEqual([]);
  });

  it('says what a malformed request lacks', async () => {
    const { ask } = api();
    expect(await ask(anna, 'base', xml('Dial'))).toBe(
      "bad-request: Dial: attribute 'target' (or 'viasetting') is missing",
    );
    expect(await ask(anna, 'base', xml('Dial', { target: '1', prefix: '+1' }))).toMatch(
      /^bad-request: Dial: attribute 'prefix' must be /,
    );
  });

  it('takes the next device where the first is away, and says so where all are', async () => {
    const { ask, actions, deviceStates } = api();
    deviceStates.set('PJSIP/340', 'UNAVAILABLE');
    await ask(anna, 'base', xml('Dial', { target: '370' }));
    expect(actions).toEqual([['originate', { ...call, device: 'PJSIP/341' }]]);
    deviceStates.set('PJSIP/341', 'UNAVAILABLE');
    expect(await ask(anna, 'base', xml('Dial', { target: '370' }))).toEqual(failure('device-unavailable'));
    expect(await ask('nophone@example.org/x', 'base', xml('Dial', { target: '370' }))).toEqual(
      failure('no-device'),
    );
  });

  it('passes on what the telephone system says', async () => {
    const { ask, fail } = api();
    fail(new Failure('pbx-unavailable', 'The telephone system is away.'));
    expect(await ask(anna, 'base', xml('Dial', { target: '370' }))).toEqual(failure('pbx-unavailable'));
  });

  it('lets one well-formed number through, or nothing, whatever a client sends', async () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        '$' + '{SHELL(id)}',
        '1&Local/1',
        '1@other',
        '1,2,3',
        '1|2',
        '1\n2',
        '1\u0000',
        '１２３',
        '*100/n',
        '',
        ' ',
      ),
      fc.stringMatching(/^[0-9*#+ ().-]{0,50}$/),
    );
    await fc.assert(
      fc.asyncProperty(nasty, fc.option(nasty), fc.option(nasty), async (target, prefix, viasetting) => {
        const { ask, actions } = api();
        const attributes = {
          target,
          ...(prefix !== null && { prefix }),
          ...(viasetting !== null && { viasetting }),
        };
        const answer = await ask(anna, 'base', xml('Dial', attributes));
        expect(answer).not.toBe('');
        expect(answer).not.toContain('internal-server-error');
        expect(actions.length).toBe(answer === success ? 1 : 0);
        for (const [, sent] of actions) {
          expect(sent).toEqual({ ...call, exten: expect.stringMatching(/^\+?[0-9*#]{1,40}$/) });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('DialFrom', () => {
  it('is for supervisors, and calls from the other user’s device', async () => {
    const { ask, actions, allow } = api();
    const request = xml('DialFrom', { identity: 'tweber', target: '370' });
    expect(await ask('boss@example.org/x', 'base', request)).toEqual(failure('not-available'));
    allow({ dialFrom: true });
    expect(await ask(anna, 'base', request)).toEqual(failure('not-permitted'));
    expect(await ask('boss@example.org/x', 'base', request)).toBe(success);
    expect(actions).toEqual([['originate', call]]);
    const byJid = xml('DialFrom', { identity: 'nobody@example.org', target: '370' });
    expect(await ask('boss@example.org/x', 'base', byJid)).toEqual(failure('no-such-user'));
  });
});

describe('Hangup', () => {
  const other = view({ channel: 'PJSIP/370-00000000' as ChannelId, device: 'PJSIP/370' as DeviceName });

  it('ends the most recent call of all devices', async () => {
    const { ask, actions, views } = api();
    const second = view({
      channel: 'PJSIP/341-00000002' as ChannelId,
      device: 'PJSIP/341' as DeviceName,
      since: 2000,
    });
    views.push(second, view(), other);
    expect(await ask(anna, 'base', xml('Hangup'))).toBe(success);
    expect(actions).toEqual([['hangup', 'PJSIP/341-00000002', 'rejected']]);
  });

  it('refuses what is not there and what is not one’s own', async () => {
    const { ask, actions, views } = api();
    expect(await ask(anna, 'base', xml('Hangup'))).toEqual(failure('no-active-call'));
    views.push(other);
    expect(await ask(anna, 'base', xml('Hangup', { channel: 'PJSIP/340-ffffffff' }))).toEqual(
      failure('no-such-channel'),
    );
    expect(await ask(anna, 'base', xml('Hangup', { channel: other.channel }))).toEqual(
      failure('not-permitted'),
    );
    expect(await ask(anna, 'base', xml('Hangup', { channel: 'PJSIP/x\r\nA: b' }))).toMatch(/^bad-request/);
    expect(actions).toEqual([]);
  });

  it('lets supervisors end any channel, trunks included', async () => {
    const { ask, actions, views } = api();
    views.push(other);
    for (const channel of [other.channel, 'PJSIP/trunk-00000009']) {
      expect(await ask('boss@example.org/x', 'base', xml('Hangup', { channel }))).toBe(success);
    }
    expect(actions).toEqual([
      ['hangup', other.channel, 'rejected'],
      ['hangup', 'PJSIP/trunk-00000009', undefined],
    ]);
  });
});

describe('Transfer', () => {
  it('sends the other party on by the user’s channel once both talk', async () => {
    const { ask, actions, views } = api();
    views.push(view({ state: 'busy' }));
    const request = xml('Transfer', { channel: view().channel, target: '320' });
    expect(await ask(anna, 'base', request)).toBe(success);
    expect(actions).toEqual([['blindTransfer', 'PJSIP/340-00000001', 'internal', '320']]);
  });

  it('deflects a call that rings', async () => {
    const { ask, actions, views } = api();
    views.push(view());
    await ask(anna, 'base', xml('Transfer', { channel: view().channel, target: 'boss@example.org' }));
    expect(actions).toEqual([['redirect', 'PJSIP/370-00000000', 'internal', '320']]);
  });

  it.each([
    [{ outbound: true }, 'no-active-call'],
    [{ state: 'busy' as const, service: 'mailbox', refChannel: '' as const }, 'no-active-call'],
    [{ device: 'PJSIP/370' as DeviceName }, 'not-permitted'],
  ])('refuses %j', async (changes, code) => {
    const { ask, actions, views } = api();
    views.push(view(changes));
    expect(await ask(anna, 'base', xml('Transfer', { channel: view().channel, target: '320' }))).toEqual(
      failure(code),
    );
    expect(actions).toEqual([]);
  });
});

describe('FindChannels', () => {
  it('lists one’s own calls, and everybody’s for supervisors', async () => {
    const { ask, views } = api();
    views.push(
      view(),
      view({ channel: 'PJSIP/370-00000000' as ChannelId, device: 'PJSIP/370' as DeviceName, state: 'busy' }),
    );
    const own = await ask(anna, 'base', xml('FindChannels'));
    expect(own.match(/<eventId>[^<]*/g)).toEqual(['<eventId>PJSIP/340-00000001']);
    expect(await ask(anna, 'base', xml('FindChannels', { scope: 'supervisor' }))).toEqual(
      failure('not-permitted'),
    );
    const all = await ask('boss@example.org/x', 'base', xml('FindChannels', { scope: 'supervisor' }));
    expect(all.match(/<eventType>[^<]*/g)).toEqual(['<eventType>ringing', '<eventType>busy']);
  });

  it('shows hold, and leaves out what is not a call yet', async () => {
    const { ask, views } = api();
    const busy = { state: 'busy' as const, busySince: 5000 };
    views.push(view({ ...busy, held: true }), view({ ...busy, remoteHeld: true }), view({ state: 'new' }));
    const list = await ask(anna, 'base', xml('FindChannels'));
    expect(list.match(/<eventType>[^<]*|<eventDetails>[^<]*/g)).toEqual([
      '<eventType>hold',
      '<eventType>hold',
      '<eventDetails>remote',
    ]);
  });
});

describe('ChannelEvent', () => {
  const subscribe = xml('ClientInfo', {}, [
    xml('AddSubscription', {}, [xml('Subscription', { module: 'base', type: '*' })]),
  ]);
  const at = { kind: 'channel', type: 'ringing', details: '', at: 1 } as const;

  it('reaches the user it concerns, every child present and in order', async () => {
    const { ask, tell, sent } = api();
    await ask(anna, 'xmppuser', subscribe);
    await ask('mmeyer@example.org/desk', 'xmppuser', subscribe);
    tell({ ...at, view: view() });
    expect(sent).toEqual([
      "<message to='tweber@example.org/desk' from='pbx.example.org' type='headline'>" +
        "<cmd xmlns='http://www.pascom.net/mobydick' module='base'><ChannelEvent>" +
        '<eventType>ringing</eventType><eventId>PJSIP/340-00000001</eventId><eventDetails/>' +
        '<outbound>false</outbound><internal>true</internal>' +
        '<sourceName>Max Meyer</sourceName><sourceNumber>370</sourceNumber><sourceCallerIdName/>' +
        '<targetName>Thomas Weber</targetName><targetCallerIdName/><targetNumber>340</targetNumber>' +
        '<busySince>0</busySince><refChannel>PJSIP/370-00000000</refChannel><device>Desk 340</device>' +
        "<fromName/><fromNumber/></ChannelEvent></cmd><no-store xmlns='urn:xmpp:hints'/><no-copy xmlns='urn:xmpp:hints'/></message>",
    ]);
  });

  it('never takes a caller ID from outside for one of ours', async () => {
    const { ask, tell, sent } = api();
    await ask(anna, 'xmppuser', subscribe);
    const outside = {
      otherDevice: '',
      refChannel: 'PJSIP/trunk-00000003' as ChannelId,
      other: { number: '370', name: 'Eve' },
    } as const;
    tell({ ...at, view: view(outside) });
    expect(sent[0]).toContain(
      '<internal>false</internal><sourceName>Eve</sourceName><sourceNumber>370</sourceNumber>',
    );
  });

  it('keeps the signaled name where the directory says otherwise', async () => {
    const { ask, tell, sent } = api();
    await ask(anna, 'xmppuser', subscribe);
    tell({ ...at, view: view({ other: { number: '370', name: 'Max "Mo" <M>' } }) });
    expect(sent[0]).toContain(
      '<sourceName>Max Meyer</sourceName><sourceNumber>370</sourceNumber>' +
        '<sourceCallerIdName>Max &quot;Mo&quot; &lt;M&gt;</sourceCallerIdName>',
    );
  });

  it('names services', async () => {
    const { ask, tell, sent } = api();
    await ask(anna, 'xmppuser', subscribe);
    const service = {
      outbound: true,
      state: 'busy',
      service: 'mailbox',
      otherDevice: '',
      refChannel: '',
      other: { number: '*100', name: '' },
    } as const;
    tell({ ...at, type: 'busy', details: 'mailbox', view: view(service) });
    expect(sent[0]).toContain('<eventDetails>mailbox</eventDetails>');
    expect(sent[0]).toContain(
      '<targetName>Mailbox</targetName><targetCallerIdName/><targetNumber>*100</targetNumber>',
    );
  });
});

describe('PickupEvent', () => {
  it('goes to those who share a pickup group with the rung user, not to that user', async () => {
    const { ask, tell, sent, change } = api();
    change(
      user('loner', '350', 'Lea Loner', {
        pickupGroups: new Set(['attic']),
        devices: [device('D', 'PJSIP/350')],
      }),
    );
    const subscribe = xml('AddSubscription', {}, [
      xml('Subscription', { module: 'base', type: 'PickupEvent' }),
    ]);
    for (const name of ['tweber', 'mmeyer', 'loner']) await ask(`${name}@example.org/x`, 'event', subscribe);
    tell({
      kind: 'pickup',
      type: 'ringing',
      device: 'PJSIP/340' as DeviceName,
      channel: 'PJSIP/340-00000001' as ChannelId,
      source: { number: '320', name: 'B' },
      sourceDevice: 'PJSIP/320' as DeviceName,
      at: 1,
    });
    expect(sent).toHaveLength(1);
    expect(sent[0]).toContain("<message to='mmeyer@example.org/x'");
    expect(sent[0]).toContain(
      '<PickupEvent><eventType>ringing</eventType><eventId>tweber</eventId><target>340</target>' +
        '<sourceName>Bea Boss</sourceName><sourceNumber>320</sourceNumber></PickupEvent>',
    );
  });
});

describe('a double click', () => {
  it('is one call', async () => {
    const { ask, actions, views } = api();
    const dial = () => ask(anna, 'base', xml('Dial', { target: '370' }));
    const [first, second] = await Promise.all([dial(), dial()]);
    expect(first).toContain('<Success>');
    expect(second).toContain("code='rejected'><message>You have asked for this already");
    expect(actions).toHaveLength(1);
    // Once that is answered the telephone is there, and says so.
    views.push(view({ outbound: true, state: 'new', other: { number: '370', name: '' } }));
    expect(await dial()).toContain("code='device-busy'");
    expect(await ask(anna, 'base', xml('Dial', { target: '320' }))).toContain('<Success>');
  });

  it('of two is two calls', async () => {
    const { ask } = api();
    const dial = (who: string) => ask(who, 'base', xml('Dial', { target: '320' }));
    for (const answer of await Promise.all([dial(anna), dial('mmeyer@example.org/x')]))
      expect(answer).toContain('<Success>');
  });

  it('is not what two malformed requests are: each is told what is wrong', async () => {
    const { ask } = api();
    const answers = await Promise.all([
      ask(anna, 'base', xml('Dial', {})),
      ask(anna, 'base', xml('Dial', {})),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^bad-request: Dial: attribute 'target'/);
  });

  it('may be meant where the same twice is something else', async () => {
    const { ask, actions, views } = api();
    views.push(view({ state: 'busy' }));
    const press = () => ask(anna, 'base', xml('SendDigits', { channel: 'PJSIP/340-00000001', digits: '1' }));
    await Promise.all([press(), press()]);
    expect(actions).toHaveLength(2);
  });
});
