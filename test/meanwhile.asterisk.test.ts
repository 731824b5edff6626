/** What clients believe of queues, rooms and parked calls stays true when nobody listened to a real Asterisk, and when that was away itself. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../src/store/memory.ts';
import {
  type AsteriskServer,
  type Call,
  openRelay,
  type Phone,
  type Relay,
  startAsterisk,
  startPhone,
  until,
} from './servers/index.ts';
import { type Name, type Office, openOffice } from './stories/office.ts';

const users = `
users:
  - { name: anna, extension: 340, fullName: Anna, devices: [{ name: Anna, device: PJSIP/340 }] }
  - { name: bernd, extension: 370, fullName: Bernd, devices: [{ name: Bernd, device: PJSIP/370 }] }
  - { name: carla, extension: 320, fullName: Carla, devices: [{ name: Carla, device: PJSIP/320 }] }
`;

let pbx: AsteriskServer;
let line: Relay;
let office: Office;
/** What those who ended heard before the present bridge began. */
let before: Record<string, readonly string[]> = {};
let store = createMemoryStore();
const phones = new Map<string, Phone>();

function phone(number: string): Phone {
  const found = phones.get(number);
  if (found === undefined) throw new Error(`no telephone ${number}`);
  return found;
}

beforeAll(async () => {
  pbx = await startAsterisk();
  line = await openRelay(pbx.amiPort);
  for (const number of ['310', '320', '330', '340', '370', 'trunk'])
    phones.set(number, await startPhone(pbx, number));
  office = await openOffice(line.port, pbx.managers, { users, store });
});
afterEach(async () => {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
  await office.stop();
  store = createMemoryStore();
  before = {};
  office = await openOffice(line.port, pbx.managers, { users, store });
});
afterAll(async () => {
  await office?.stop();
  for (const each of phones.values()) await each.stop();
  await line?.stop();
  await pbx?.stop();
});

const content = (stanza: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(stanza)?.[1] ?? '';
const attribute = (stanza: string, name: string) => new RegExp(` ${name}='([^']*)'`).exec(stanza)?.[1] ?? '';

/** What a stanza says, in a few words; none of other events. */
function words(stanza: string): string[] {
  const body = /<(?:Queue|Conference|Park)\w+[\s\S]*/.exec(stanza)?.[0] ?? '';
  const type = content(body, 'eventType');
  switch (/^<(\w+)/.exec(body)?.[1]) {
    case 'QueueMemberState':
      return [`${attribute(body, 'eventType')} ${attribute(body, 'agent')}`];
    case 'QueueJoinEvent':
      return [`${content(body, 'phone')} waits`];
    case 'QueueLeaveEvent':
      return [`${content(body, 'phone')} ${attribute(body, 'eventDetails')}`];
    case 'ConferenceEvent':
      return [`${type} ${content(body, 'number')}`.trim()];
    case 'ParkEvent':
      return [`${type} ${content(body, 'callerNumber')} by ${content(body, 'parker')}`];
    default:
      return [];
  }
}

const told = (who: Name) => [...(before[who] ?? []), ...office.stanzas(who).flatMap(words)];

/** Waits until somebody was told this, and nothing besides since it began. */
async function heard(who: Name, ...all: readonly string[]): Promise<void> {
  await until(`${who} is told`, () => told(who).length >= all.length, 15).catch(() => {});
  expect(told(who)).toEqual(all);
}

async function channelOf(number: string): Promise<string> {
  const names = (await pbx.cli('core show channels concise'))
    .split('\n')
    .map((each) => each.split('!')[0] ?? '');
  return names.find((name) => name.startsWith(`PJSIP/${number}-`)) ?? '';
}

/** A customer calls Bernd, who parks the call. */
async function park(): Promise<Call> {
  const customer = await phone('trunk').dial('4930123456370', { number: '0301234', name: 'Customer' });
  const call = await phone('370').ringing();
  await call.answer();
  await call.transfer('700');
  return customer;
}

const lost = async (meanwhile: () => Promise<void>) => {
  line.cut();
  await meanwhile().finally(line.mend);
};
const restarted = async (meanwhile: () => Promise<void>) => {
  await office.stop();
  before = Object.fromEntries((['anna', 'bernd', 'carla'] as const).map((who) => [who, told(who)]));
  await meanwhile();
  office = await openOffice(line.port, pbx.managers, { users, store });
};

describe.each([
  ['the feed', lost],
  ['the bridge', restarted],
])('while %s is away', (_, away) => {
  it('people come and go, and everybody hears of it once', async () => {
    const caller = await phone('310').dial('500');
    await heard('anna', '310 waits');
    await phone('320').dial('800');
    await heard('carla', 'join 320');
    const guest = await phone('330').dial('800');
    await heard('carla', 'join 320', 'join 330');
    let next: Call | undefined;
    let customer: Call | undefined;
    await away(async () => {
      await caller.hangup();
      await guest.hangup();
      await pbx.cli('queue pause member PJSIP/340 queue Support');
      await pbx.cli(`confbridge mute 800 ${await channelOf('320')}`);
      next = await phone('330').dial('500');
      await phone('310').dial('800');
      await until('one waits', async () => (await pbx.cli('queue show Support')).includes('PJSIP/330-'));
      await until('the other is in the room', async () =>
        (await pbx.cli('confbridge list 800')).includes('PJSIP/310-'),
      );
      await pbx.cli('confbridge lock 800');
      customer = await park();
      await until('it is parked', async () => /0301234|trunk/.test(await pbx.cli('parking show default')));
    });
    await heard('anna', '310 waits', '310 abandoned', 'pause anna', '330 waits');
    await heard('carla', 'join 320', 'join 330', 'leave 330', 'mute 320', 'join 310', 'lock');
    await heard('bernd', 'parked 0301234 by bernd');
    await next?.hangup();
    await customer?.hangup();
    await pbx.cli('queue unpause member PJSIP/340 queue Support');
    await heard(
      'anna',
      '310 waits',
      '310 abandoned',
      'pause anna',
      '330 waits',
      '330 abandoned',
      'unpause anna',
    );
    await heard('bernd', 'parked 0301234 by bernd', 'abandoned 0301234 by bernd');
  });
});

it('while Asterisk is away, all of it ends; who serves a queue goes on to', async () => {
  await phone('310').dial('500');
  await heard('anna', '310 waits');
  await phone('320').dial('800');
  await heard('carla', 'join 320');
  await phone('330').dial('800');
  await heard('carla', 'join 320', 'join 330');
  await park();
  await heard('bernd', 'parked 0301234 by bernd');
  await pbx.kill();
  await pbx.restart();
  for (const [number, each] of phones) if (number !== 'trunk') await each.register();
  await heard('anna', '310 waits', '310 abandoned');
  await heard('carla', 'join 320', 'join 330', 'leave 320', 'leave 330');
  await heard('bernd', 'parked 0301234 by bernd', 'abandoned 0301234 by bernd');
  expect(await office.ask('anna', 'queue', 'FindOwnState')).toMatch(/queue='Support'[^>]* loggedin='true'/);
});
