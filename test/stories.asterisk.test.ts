import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from './servers/index.ts';
import { type Office, openOffice } from './stories/office.ts';

let pbx: AsteriskServer;
const phones = new Map<string, Phone>();
let office: Office;

beforeAll(async () => {
  pbx = await startAsterisk();
  for (const number of ['320', '340', '370']) phones.set(number, await startPhone(pbx, number));
});
afterAll(async () => {
  for (const phone of phones.values()) await phone.stop();
  await pbx?.stop();
});
beforeEach(async () => {
  for (const each of phones.values()) each.incoming = 'answer';
  office = await openOffice(pbx.amiPort, pbx.managers);
});
afterEach(async () => {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
  await office.stop();
});

function phone(number: string): Phone {
  const found = phones.get(number);
  if (found === undefined) throw new Error(`no telephone ${number}`);
  return found;
}
const ok = expect.stringContaining('<Success><message>Ok</message>');

/** Anna has called Bernd, and they talk. */
async function talking(): Promise<void> {
  await phone('340').dial('370');
  await office.hears('anna', 'busy 340>370');
  await office.hears('bernd', 'busy 340>370');
}

describe('everybody concerned sees', () => {
  it('a call picked up by a colleague', async () => {
    phone('370').incoming = 'ring';
    await phone('340').dial('370');
    await office.hears('bernd', 'ringing 340>370');
    expect(await office.ask('carla', 'base', 'Pickup', { target: 'bernd' })).toEqual(ok);
    await office.hears('carla', 'busy 340>320');
    expect(office.told('carla')).toEqual(['ringing 340>320', 'busy 340>320']);
    await office.hears('bernd', 'hangup 340>370 (answered-elsewhere)');
    await office.hears('anna', /^(busy|rename) 340>320/);
  });

  it('an attended transfer, from consulting to its end', async () => {
    await talking();
    const channel = office.call('bernd');
    phone('320').incoming = 'ring';
    expect(
      await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: 'carla@example.org' }),
    ).toEqual(ok);
    await office.hears('carla', 'ringing 370>320');
    expect(await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' })).toContain(
      "code='rejected'",
    );
    await (await phone('320').ringing()).answer();
    await office.hears('carla', 'busy 370>320');
    expect(await office.ask('bernd', 'base', 'CompleteTransfer', { channel })).toEqual(ok);
    await office.hears('bernd', /^hangup/);
    for (const who of ['anna', 'carla'] as const) {
      await until(`${who} sees the other`, () => office.told(who).includes('rename 340>320'));
    }
    await phone('340').calls.at(-1)?.hangup();
    await office.hears('carla', /^hangup/);
    await office.hears('anna', /^hangup/);
  });

  it('a consultation that is cancelled', async () => {
    await talking();
    const channel = office.call('bernd');
    phone('320').incoming = 'ring';
    await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' });
    await office.hears('carla', 'ringing 370>320');
    expect(await office.ask('bernd', 'base', 'CancelTransfer', { channel })).toEqual(ok);
    await office.hears('carla', /^hangup 370>320/);
    await until('Bernd is back with Anna', () =>
      office.told('bernd').some((each) => each === 'unhold 340>370'),
    );
    expect(await office.ask('bernd', 'base', 'CancelTransfer', { channel })).toContain(
      "code='no-active-call'",
    );
  });

  it('that a consulted colleague is busy', async () => {
    await talking();
    phone('320').incoming = 'busy';
    await office.ask('bernd', 'base', 'AttendedTransfer', { channel: office.call('bernd'), target: '320' });
    await office.hears('carla', /^hangup 370>320/);
    await until('Bernd is back with Anna', () => office.told('bernd').includes('unhold 340>370'));
    await office.hears('bernd', /340>370/);
  });

  it('a transfer to a colleague who is busy', async () => {
    await talking();
    phone('320').incoming = 'busy';
    expect(
      await office.ask('bernd', 'base', 'Transfer', { channel: office.call('bernd'), target: '320' }),
    ).toEqual(ok);
    await office.hears('bernd', /^hangup/);
    await office.hears('anna', /^hangup .* \(busy\)$/);
  });

  it('a consultation begun on the telephone', async () => {
    await talking();
    const waiting = phone('370').calls.at(-1);
    await waiting?.hold();
    await office.hears('bernd', 'hold 340>370');
    await phone('370').dial('320');
    await office.hears('bernd', 'busy 370>320');
    expect(await office.ask('bernd', 'base', 'CompleteTransfer', { channel: office.call('bernd') })).toEqual(
      ok,
    );
    for (const who of ['anna', 'carla'] as const) {
      await until(`${who} sees the other`, () => office.told(who).includes('rename 340>320'));
    }
    await until(
      'Bernd has no call left',
      () => office.told('bernd').filter((each) => /^hangup/.test(each)).length === 2,
    );
  });

  it('a parked call', async () => {
    await talking();
    const answer = await office.ask('bernd', 'base', 'Park', { channel: office.call('bernd') });
    const space = /<space>(\d+)</.exec(answer)?.[1] ?? '';
    expect(space).toMatch(/^7/);
    await office.hears('bernd', /^hangup/);
    await until(
      'both heard',
      () => office.events('bernd', 'ParkEvent').length + office.events('anna', 'ParkEvent').length === 2,
    );
    expect(await office.ask('carla', 'base', 'FindParked')).toContain(`space='${space}'`);
    await phone('320').dial(space);
    await office.hears('carla', /^busy/);
    await until('Carla heard', () =>
      office.events('carla', 'ParkEvent').some((each) => each.includes('>retrieved<')),
    );
  });

  it('the keys of a telephone', async () => {
    phone('370').incoming = 'ring';
    await phone('340').dial('370');
    await office.hears('bernd', 'ringing 340>370');
    expect(await office.ask('bernd', 'phone', 'Offhook', { device: 'Bernd' })).toEqual(ok);
    await office.hears('bernd', 'busy 340>370');
    expect(await office.ask('bernd', 'phone', 'Hold', { device: 'Bernd' })).toEqual(ok);
    await office.hears('bernd', 'hold 340>370');
    await office.hears('anna', 'hold 340>370 (remote)');
    expect(await office.ask('carla', 'phone', 'Hold', { device: 'Carla' })).toContain("code='not-supported'");
  });

  it('a call of two that becomes a conference of three', async () => {
    await talking();
    await phone('370').calls.at(-1)?.hold();
    await office.hears('bernd', 'hold 340>370');
    await phone('370').dial('320');
    await office.hears('bernd', 'busy 370>320');
    expect(await office.ask('bernd', 'phone', 'Conference', { device: 'Bernd' })).toEqual(ok);
    await until('three are in the room', async () => {
      const list = await office.ask('carla', 'conference', 'Find');
      return list.match(/<ConferenceMember /g)?.length === 3;
    });
    await until('they are told of each other', () => office.events('anna', 'ConferenceEvent').length > 0);
  });

  it('nothing of a supervisor who listens', async () => {
    await talking();
    const before = office.told('anna').length;
    expect(await office.ask('carla', 'base', 'Listen', { channel: office.call('anna') })).toEqual(ok);
    await until('Carla listens', async () => /ChanSpy/.test(await pbx.cli('core show channels')));
    expect(
      await office.ask('carla', 'base', 'Listen', { channel: office.call('anna'), mode: 'barge' }),
    ).toContain("code='not-permitted'");
    await phone('340').calls.at(-1)?.hangup();
    await office.hears('anna', /^hangup/);
    expect(office.told('anna')).toHaveLength(before + 1);
  });
});
