/** A person's own things on a real Asterisk with the sample configuration of `deploy/asterisk`. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../src/store/memory.ts';
import * as deployed from './packaging/deployed.ts';
import { type Phone, startPhone, until } from './servers/index.ts';
import { type Name, type Office, openOffice } from './stories/office.ts';

const users = `
users:
  - { name: anna, extension: 340, fullName: Anna, pickupGroups: [a], callGroups: [a], mailbox: "340", queues: [{ name: support, dynamic: true }], devices: [{ name: Anna, device: PJSIP/340 }, { name: Mobile, device: PJSIP/mobile, type: mobile, number: "+49170123456" }] }
  - { name: bernd, extension: 370, fullName: Bernd, pickupGroups: [a], callGroups: [a], mailbox: "370", devices: [{ name: Bernd, device: PJSIP/370, internal: { delay: 2 } }] }
places:
  - { name: Desk 1, devices: [{ name: Phone of desk 1, device: PJSIP/desk1 }] }
`;
const accounts = {
  control: { username: 'control', secret: 'control-secret' },
  feed: { username: 'feed', secret: 'feed-secret' },
};

let pbx: deployed.DeployedAsterisk;
const phones = new Map<string, Phone>();
let office: Office;

beforeAll(async () => {
  pbx = await deployed.asterisk({
    AMI_USERNAME: accounts.control.username,
    AMI_SECRET: accounts.control.secret,
    AMI_FEED_USERNAME: accounts.feed.username,
    AMI_FEED_SECRET: accounts.feed.secret,
    SIP_PASSWORD: 'sip-password',
  });
  const extensions = new Map(
    ['340', '370', 'desk1'].map((number) => [number, { number, name: number, password: 'sip-password' }]),
  );
  for (const name of [...extensions.keys(), 'trunk'])
    phones.set(name, await startPhone({ ...pbx, extensions }, name));
});
afterAll(async () => {
  for (const phone of phones.values()) await phone.stop();
  await pbx?.stop();
});
beforeEach(async () => {
  for (const each of phones.values()) each.incoming = 'answer';
  office = await openOffice(pbx.port, accounts, {
    users,
    everyMs: 600_000,
    settings: { mobileGateway: '4930123459' },
  });
});
afterEach(async () => {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
  await office.stop();
});

function phone(name: string): Phone {
  const found = phones.get(name);
  if (found === undefined) throw new Error(`no telephone ${name}`);
  return found;
}
const ok = expect.stringContaining('<Success><message>Ok</message>');
const entry = (family: string, key: string) =>
  pbx.cli(`database get ${family} ${key}`).then((said) => /^Value: (.*)$/m.exec(said)?.[1]);
/** The last event of a kind that somebody got holds this. */
const hears = (who: Name, type: string, text: string) =>
  until(`${who} hears ${type} ${text}`, () => office.events(who, type).at(-1)?.includes(text));
/** Somebody's telephone calls a number; resolves with the call when it is over or talked on. */
async function calls(from: string, number: string) {
  const call = await phone(from).dial(number);
  await until(`${from} has called ${number}`, () => call.state === 'connected' || call.state === 'ended');
  return call;
}

/** Bytes of the longest recording in a voicemail box. */
async function recorded(mailbox: string): Promise<number> {
  const box = join(pbx.spool, 'voicemail/default', mailbox);
  const names = await readdir(box, { recursive: true }).catch(() => []);
  const sizes = names
    .filter((name) => name.endsWith('.wav'))
    .map((name) =>
      stat(join(box, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return Math.max(0, ...(await Promise.all(sizes)));
}

it('Asterisk loads it without a warning', () => {
  expect(pbx.log().match(/^.*(WARNING|ERROR)\[.*$/gm) ?? []).toEqual([]);
});

describe('voicemail', () => {
  it('a message that is left is told, and is there after a restart of the bridge', async () => {
    phone('370').incoming = 'busy';
    expect(await office.ask('bernd', 'voicemail', 'FindOwn')).toContain('<newMessages>0</newMessages>');
    await pbx.cli('channel originate Local/370@internal application Milliwatt');
    // Behind the greeting, and longer than nothing: 8000 samples of two bytes a second.
    await until('something is recorded', async () => (await recorded('370')) > 40_000, 40);
    await pbx.cli('channel request hangup all');
    await hears('bernd', 'VoicemailEvent', '<newMessages>1</newMessages>');
    expect(office.events('anna', 'VoicemailEvent').join()).not.toContain('370@default');
    await office.stop();
    office = await openOffice(pbx.port, accounts, { users });
    await until('it is known', async () =>
      (await office.ask('bernd', 'xmppuser', 'FindUserInfo')).includes('<inboxMessages>1</inboxMessages>'),
    );
  });
});

describe('location', () => {
  const sit = (who: Name) => office.ask(who, 'location', 'RelocateUser', { location: 'Desk 1' });
  const getUp = (who: Name) => office.ask(who, 'location', 'LogoutUser');
  afterEach(async () => {
    for (const who of ['anna', 'bernd'] as const) await getUp(who);
  });

  it('calls ring wherever the person sits, and who calls from there is that person', async () => {
    phone('340').incoming = 'ring';
    expect(await sit('anna')).toEqual(ok);
    await hears('anna', 'SetLocation', "name='Desk 1' isstatic='false' username='anna'");
    expect(await office.ask('anna', 'xmppuser', 'FindUserInfo')).toContain("name='Phone of desk 1'");
    expect(await entry('OFFHOOK_INTERNAL', '340')).toBe('PJSIP/desk1&PJSIP/340&PJSIP/mobile,30');
    await phone('trunk').dial('493012345340', { number: '+4940999', name: '' });
    await office.hears('anna', /^busy .*>340/);
    expect(office.events('anna', 'ChannelEvent').at(-1)).toContain('<device>Phone of desk 1</device>');
    await phone('desk1').calls.at(-1)?.hangup();
    await office.hears('anna', /^hangup/);

    const call = await calls('desk1', '370');
    expect(phone('370').calls.at(-1)?.remote).toEqual({ number: '340', name: 'Anna' });
    await office.hears('anna', 'busy 340>370');
    await call.hangup();
    await office.hears('anna', /^hangup/);
    // Her own client dials from where she sits.
    phone('370').incoming = 'ring';
    expect(await office.ask('anna', 'base', 'Dial', { target: '370' })).toEqual(ok);
    await office.hears('anna', 'ringing 340>370');
    expect(phone('desk1').calls.at(-1)?.direction).toBe('in');

    expect(await getUp('anna')).toEqual(ok);
    await hears('anna', 'SetLocation', "eventType='logout'");
    expect(await entry('OFFHOOK_INTERNAL', '340')).toBeUndefined();
    expect(await entry('OFFHOOK_SEAT', 'desk1')).toBeUndefined();
  });

  it('a place that somebody takes over takes its calls along', async () => {
    await sit('anna');
    await calls('desk1', '600');
    await office.hears('anna', /^busy/);
    expect(await sit('bernd')).toEqual(ok);
    await hears('anna', 'SetLocation', "eventType='logout'");
    await hears('bernd', 'SetLocation', "eventType='login'");
    await office.hears('anna', /^hangup .*\(moved\)/);
    await office.hears('bernd', /^busy/);
    expect(await office.ask('bernd', 'location', 'Find')).toContain(
      "name='Desk 1' isstatic='false' username='bernd'",
    );
    const channel = office.call('bernd');
    expect(await office.ask('anna', 'base', 'Hangup', { channel })).toContain("code='not-permitted'");
    expect(await office.ask('bernd', 'base', 'Hangup', { channel })).toEqual(ok);
    await office.hears('bernd', /^hangup/);
    expect(office.told('anna').at(-1)).toMatch(/moved/);
  });

  it('of two who want a place at the same moment one gets it, and both know', async () => {
    const answers = await Promise.all([sit('anna'), sit('bernd')]);
    expect(answers[0]).toEqual(ok);
    expect(answers[1]).toMatch(/code='rejected'.*Anna is just sitting down at Desk 1/);
    expect(await entry('OFFHOOK_SEAT', 'desk1')).toBe('340:Anna');
  });

  it('queues ring wherever the person sits', async () => {
    const members = () => pbx.cli('queue show support');
    expect(await office.ask('anna', 'queue', 'AgentLogin', { queue: 'support' })).toEqual(ok);
    expect(await members()).toContain('PJSIP/340');
    await sit('anna');
    await until('the queue follows', async () => /PJSIP\/desk1/.test(await members()));
    expect(await members()).not.toContain('PJSIP/340');
    await calls('370', '500');
    await office.hears('anna', /^busy/);
    expect(phone('desk1').calls.at(-1)?.state).toBe('connected');
    await phone('desk1').calls.at(-1)?.hangup();
    await getUp('anna');
    await until('the queue follows back', async () => /PJSIP\/340/.test(await members()));
    expect(await office.ask('anna', 'queue', 'AgentLogout', { queue: 'support' })).toEqual(ok);
  });

  it('whoever sits there picks up from there', async () => {
    phone('370').incoming = 'ring';
    await sit('anna');
    const outside = await phone('trunk').dial('493012345370', { number: '+4940999', name: '' });
    const rung = await phone('370').ringing();
    await hears('anna', 'PickupEvent', '<eventType>ringing</eventType>');
    expect(await office.ask('anna', 'base', 'Pickup', { target: 'bernd' })).toEqual(ok);
    await office.hears('anna', /^busy/);
    expect(office.events('anna', 'ChannelEvent').at(-1)).toContain('<device>Phone of desk 1</device>');
    expect(phone('desk1').calls.at(-1)?.state).toBe('connected');
    await until('nobody rings any more', () => rung.state === 'ended');
    await hears('anna', 'PickupEvent', '<eventType>gone</eventType>');
    expect(outside.state).toBe('connected');
  });

  it('whoever sits there is picked up from there', async () => {
    phone('340').incoming = 'ring';
    phone('desk1').incoming = 'ring';
    await sit('anna');
    const outside = await phone('trunk').dial('493012345340', { number: '+4940999', name: '' });
    const rung = await phone('desk1').ringing();
    await hears('bernd', 'PickupEvent', '<eventType>ringing</eventType>');
    const eventId = /<eventId>([^<]*)</.exec(office.events('bernd', 'PickupEvent').at(-1) ?? '')?.[1] ?? '';
    expect(await office.ask('bernd', 'base', 'Pickup', { target: eventId })).toEqual(ok);
    await office.hears('bernd', /^busy/);
    await until('nobody rings any more', () => rung.state === 'ended');
    await office.hears('anna', /^hangup .*answered-elsewhere/);
    expect(outside.state).toBe('connected');
  });

  it('devices ring with delays of their own', async () => {
    phone('370').incoming = 'ring';
    phone('desk1').incoming = 'ring';
    await sit('bernd');
    expect(await entry('OFFHOOK_INTERNAL', '370')).toBe(
      'Local/370i0@offhook-later&Local/370i1@offhook-later,32',
    );
    expect(await entry('OFFHOOK_EXTERNAL', '370')).toBe('PJSIP/desk1&PJSIP/370,30');
    const began = phone('370').calls.length;
    const call = await phone('340').dial('370');
    await phone('desk1').ringing();
    expect(phone('370').calls.length).toBe(began);
    const late = await phone('370').ringing();
    await office.hears('bernd', 'ringing 340>370');
    expect(office.events('bernd', 'ChannelEvent').join()).not.toContain('<fromNumber>3');
    await late.answer();
    await call.until('connected');
    await office.hears('anna', 'busy 340>370');
    expect(late.remote.number).toBe('340');
  });

  it('a restart of the bridge changes nothing, nor does what others left in the AstDB', async () => {
    const store = createMemoryStore();
    await office.stop();
    office = await openOffice(pbx.port, accounts, { users, store });
    await sit('anna');
    await office.stop();
    await pbx.cli('database put OFFHOOK_INTERNAL 370 PJSIP/nowhere,30');
    await pbx.cli('database del OFFHOOK_SEAT desk1');
    office = await openOffice(pbx.port, accounts, { users, store });
    expect(await office.ask('anna', 'xmppuser', 'FindUserInfo')).toContain("name='Desk 1'");
    await until('the dialplan knows', async () => (await entry('OFFHOOK_SEAT', 'desk1')) === '340:Anna');
    await until(
      'and nothing else',
      async () => (await entry('OFFHOOK_INTERNAL', '370'))?.includes('370i0') !== false,
    );
  });
});

describe('mobile', () => {
  const gateway = '4930123459';
  const prepare = (target: string) =>
    office.ask('anna', 'mobile', 'PrepareDial', { device: 'Mobile', target });
  /** The mobile, or another telephone outside, calls the gateway. */
  async function callGateway(number: string) {
    const call = await phone('trunk').dial(gateway, { number, name: '' });
    await until('the gateway has decided', () => call.state === 'connected' || call.state === 'ended');
    return call;
  }

  it.each(['+49170123456', '0049170123456', '0170123456'])(
    'puts %s through as its user, once',
    async (number) => {
      expect(await prepare('370')).toContain(`<ReadyToDial gateway='${gateway}'/>`);
      const call = await callGateway(number);
      expect(call.state).toBe('connected');
      expect(phone('370').calls.at(-1)?.remote.number).toBe('340');
      await office.hears('bernd', 'busy 340>370');
      await call.hangup();
      expect(await entry('OFFHOOK_MOBILE', '49170123456')).toBeUndefined();
      expect((await callGateway(number)).state).toBe('ended');
    },
  );

  it('puts nobody else through, and nobody too late', async () => {
    await prepare('370');
    for (const other of ['+49170123457', '170123456', 'anonymous'])
      expect((await callGateway(other)).state).toBe('ended');
    expect(await entry('OFFHOOK_MOBILE', '49170123456')).toMatch(/,internal,370,340$/);
    await pbx.cli('database put OFFHOOK_MOBILE 49170123456 "1000,internal,370,340"');
    expect((await callGateway('+49170123456')).state).toBe('ended');
    expect(await entry('OFFHOOK_MOBILE', '49170123456')).toBeUndefined();
  });
});

describe('redirect', () => {
  const set = (who: Name, attributes: Record<string, string>) =>
    office.ask(who, 'redirect', 'Set', attributes);
  const off = async () => {
    for (const type of ['always', 'busy', 'noanswer'])
      for (const who of ['anna', 'bernd'] as const) await set(who, { type });
    for (const who of ['anna', 'bernd'] as const)
      await office.ask(who, 'redirect', 'SetDoNotDisturb', { state: 'off' });
  };
  afterEach(off);

  it('all calls go elsewhere, and the one who gets them sees from where', async () => {
    expect(await set('anna', { target: 'bernd@example.org' })).toEqual(ok);
    await hears('anna', 'RedirectEntry', '<target>370</target><old/>');
    expect(await entry('CF', '340')).toBe('370');
    expect(await office.ask('anna', 'xmppuser', 'FindUserInfo')).toContain('<target>370</target>');
    const call = await phone('trunk').dial('493012345340', { number: '+4940999', name: '' });
    await office.hears('bernd', /^busy/);
    expect(office.events('bernd', 'ChannelEvent').at(-1)).toContain('<fromNumber>340</fromNumber>');
    expect(office.told('anna')).toEqual([]);
    await call.hangup();
    expect(await set('anna', {})).toEqual(ok);
    await hears('anna', 'RedirectEntry', '<target/><old>370</old>');
    expect(await entry('CF', '340')).toBeUndefined();
  });

  it('calls go elsewhere while busy, and without an answer', async () => {
    expect(await set('bernd', { target: '600', type: 'busy' })).toEqual(ok);
    phone('370').incoming = 'busy';
    expect((await calls('340', '370')).state).toBe('connected');
    await office.hears('anna', /busy 340>/);
    await phone('340').calls.at(-1)?.hangup();
    expect(await set('bernd', { type: 'busy' })).toEqual(ok);
    expect(await set('bernd', { target: '600', type: 'noanswer' })).toEqual(ok);
    phone('370').incoming = 'decline';
    expect((await calls('340', '370')).state).toBe('connected');
  });

  it('do-not-disturb lets nothing ring', async () => {
    expect(await office.ask('bernd', 'redirect', 'SetDoNotDisturb', { state: 'on' })).toEqual(ok);
    await hears('bernd', 'RedirectEntry', '<doNotDisturb>true</doNotDisturb>');
    expect(await set('bernd', { target: '600', type: 'busy' })).toEqual(ok);
    const before = phone('370').calls.length;
    expect((await calls('340', '370')).state).toBe('connected');
    expect(phone('370').calls.length).toBe(before);
  });

  it('star codes are seen', async () => {
    await calls('370', '*78');
    await hears('bernd', 'RedirectEntry', '<doNotDisturb>true</doNotDisturb>');
    await calls('370', '*79');
    await hears('bernd', 'RedirectEntry', '<doNotDisturb>false</doNotDisturb>');
    await calls('370', '*72340');
    await hears('bernd', 'RedirectEntry', '<target>340</target>');
    await calls('370', '*90600');
    await hears('bernd', 'RedirectEntry', '<busy>600</busy>');
    await calls('370', '*52600');
    await hears('bernd', 'RedirectEntry', '<noanswer>600</noanswer>');
    for (const code of ['*73', '*91', '*53']) await calls('370', code);
    await hears('bernd', 'RedirectEntry', '<target/><old/><busy/><noanswer/>');
  });

  it('circles are refused, and those of star codes end at a telephone', async () => {
    await calls('370', '*72340');
    await hears('bernd', 'RedirectEntry', '<target>340</target>');
    expect(await set('anna', { target: '370', type: 'noanswer' })).toContain("code='invalid-target'");
    await calls('340', '*72370');
    await hears('anna', 'RedirectEntry', '<target>370</target>');
    const call = await phone('trunk').dial('493012345340', { number: '+4940999', name: '' });
    await until('a telephone rings', () => call.state === 'connected');
  });
});
