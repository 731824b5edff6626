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

  it.each([
    ['busy', '320', 'busy'],
    ['decline', '320', 'rejected'],
    ['answer', '310', 'unreachable'],
  ] as const)('why a consulted colleague did not answer: %s, %s', async (incoming, target, why) => {
    await talking();
    phone('320').incoming = incoming;
    await office.ask('bernd', 'base', 'AttendedTransfer', { channel: office.call('bernd'), target });
    // Of a telephone that is not there Asterisk may say nothing before Bernd is back.
    await office.hears(
      'bernd',
      target === '310' ? /^unhold 340>370( \(unreachable\))?$/ : `unhold 340>370 (${why})`,
    );
    await office.hears('anna', 'unhold 340>370 (remote)');
    expect(office.told('carla').at(-1) ?? '').toMatch(target === '320' ? /^hangup 370>320/ : /^$/);
  });

  it('a consultation begun by who had pressed hold before', async () => {
    await talking();
    await phone('370').calls.at(-1)?.hold();
    await office.hears('bernd', 'hold 340>370');
    const channel = office.call('bernd');
    expect(await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' })).toEqual(ok);
    await office.hears('carla', 'busy 370>320');
    expect(await office.ask('bernd', 'base', 'CancelTransfer', { channel })).toEqual(ok);
    await office.hears('bernd', 'unhold 340>370');
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

  it('a transfer to a telephone that is not there', async () => {
    await talking();
    const channel = office.call('bernd');
    expect(await office.ask('bernd', 'base', 'Transfer', { channel, target: '310' })).toEqual(ok);
    await office.hears('bernd', /^hangup/);
    await office.hears('anna', /^hangup .* \(unreachable\)$/);
  });

  it('why a call by command came to nothing', async () => {
    const dial = (target: string) => office.ask('anna', 'base', 'Dial', { target });
    phone('370').incoming = 'busy';
    expect(await dial('370')).toEqual(ok);
    await office.hears('anna', 'hangup 340>370 (busy)');
    expect(await dial('310')).toEqual(ok);
    await office.hears('anna', 'hangup 340>310 (unreachable)');
    phone('340').incoming = 'decline';
    expect(await dial('320')).toEqual(ok);
    await office.hears('anna', 'hangup 340>320 (rejected)');
    phone('340').incoming = 'busy';
    expect(await dial('320')).toEqual(ok);
    await office.hears('anna', 'hangup 340>320 (busy)');
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

describe('nobody loses a call', () => {
  it('to a number that there is not', async () => {
    const nobody = expect.stringContaining("code='invalid-target'><message>There is no such number");
    expect(await office.ask('anna', 'base', 'Dial', { target: '99999' })).toEqual(nobody);
    await talking();
    const transfer = { channel: office.call('bernd'), target: '99999' };
    expect(await office.ask('bernd', 'base', 'Transfer', transfer)).toEqual(nobody);
    expect(await office.ask('bernd', 'base', 'AttendedTransfer', transfer)).toEqual(nobody);
    expect(office.told('bernd')).toEqual(['ringing 340>370', 'busy 340>370']);
    phone('340').incoming = 'ring';
    await phone('320').dial('340');
    await office.hears('anna', 'ringing 320>340');
    const deflect = { channel: office.call('anna'), target: '99999' };
    expect(await office.ask('anna', 'base', 'Transfer', deflect)).toEqual(nobody);
    expect(office.told('anna').at(-1)).toBe('ringing 320>340');
  });

  it('to a double click on a consultation', async () => {
    await talking();
    phone('320').incoming = 'ring';
    const channel = office.call('bernd');
    const both = await Promise.all(
      [1, 2].map(() => office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' })),
    );
    expect(both.sort()).toEqual([expect.stringContaining("code='rejected'"), ok].sort());
    await office.hears('carla', 'ringing 370>320');
    expect(office.told('bernd').some((each) => each.startsWith('transfer'))).toBe(false);
  });

  it('to two who join the same calls', async () => {
    await talking();
    await phone('370').calls.at(-1)?.hold();
    await office.hears('bernd', 'hold 340>370');
    await phone('370').dial('320');
    await office.hears('bernd', 'busy 370>320');
    const channel = office.call('bernd');
    const answers = await Promise.all([
      office.ask('bernd', 'phone', 'Transfer', { device: 'Bernd' }),
      office.ask('bernd', 'base', 'CompleteTransfer', { channel }),
      office.ask('bernd', 'phone', 'Transfer', { device: 'Bernd' }),
    ]);
    expect(answers).toContainEqual(ok);
    for (const answer of answers) expect(answer).not.toMatch(/PJSIP|error/);
    for (const who of ['anna', 'carla'] as const) {
      await until(`${who} sees the other`, () => office.told(who).includes('rename 340>320'));
    }
    expect(office.told('anna').some((each) => each.startsWith('hangup'))).toBe(false);
  });

  it('to commands that come too late', async () => {
    await talking();
    const channel = office.call('bernd');
    await Promise.all([
      phone('340').calls.at(-1)?.hangup(),
      office.ask('bernd', 'base', 'Transfer', { channel, target: '320' }),
      office.ask('bernd', 'base', 'Park', { channel }),
    ]);
    await office.hears('bernd', /^hangup/);
    await office.hears('anna', /^hangup/);
    const late: [string, Record<string, string>][] = [
      ['Hangup', {}],
      ['Transfer', { target: '320' }],
      ['AttendedTransfer', { target: '320' }],
      ['CompleteTransfer', {}],
      ['CancelTransfer', {}],
      ['Park', {}],
      ['Mute', {}],
      ['SendDigits', { digits: '1' }],
    ];
    for (const [command, attributes] of late) {
      expect(await office.ask('bernd', 'base', command, { channel, ...attributes })).toContain(
        "code='no-such-channel'",
      );
    }
  });
});

describe('a ringing call', () => {
  it('is taken by one of two who want it, and rings at the other no longer', async () => {
    for (const number of ['370', '320']) phone(number).incoming = 'ring';
    await phone('340').dial('370');
    await office.hears('bernd', 'ringing 340>370');
    // The one who calls cannot take the own call.
    expect(await office.ask('anna', 'base', 'Pickup', { target: '370' })).toContain("code='not-permitted'");
    const both = await Promise.all(
      [1, 2].map(() => office.ask('carla', 'base', 'Pickup', { target: '370' })),
    );
    expect(both.filter((each) => each.includes('<Success>'))).toHaveLength(1);
    await office.hears('carla', 'ringing 340>320');
    expect(await office.ask('carla', 'base', 'Pickup', { target: 'bernd' })).toContain("code='device-busy'");
    // What is about to be taken cannot be sent elsewhere from there.
    const deflect = { channel: office.call('carla'), target: '310' };
    expect(await office.ask('carla', 'base', 'Transfer', deflect)).toContain("code='no-active-call'");
    await (await phone('370').ringing()).answer();
    await office.hears('bernd', 'busy 340>370');
    await office.hears('carla', 'hangup 340>320 (answered-elsewhere)');
    expect(office.told('carla')).toHaveLength(2);
  });

  it('that its caller gives up rings at nobody', async () => {
    for (const number of ['370', '320']) phone(number).incoming = 'ring';
    await phone('340').dial('370');
    await office.hears('bernd', 'ringing 340>370');
    expect(await office.ask('carla', 'base', 'Pickup', { target: '370' })).toEqual(ok);
    await office.hears('carla', 'ringing 340>320');
    await phone('340').calls.at(-1)?.hangup();
    await office.hears('carla', 'hangup 340>320 (cancelled)');
  });

  it('is not placed twice by a double click', async () => {
    phone('340').incoming = 'ring';
    const dial = () => office.ask('anna', 'base', 'Dial', { target: '370' });
    const both = await Promise.all([dial(), dial()]);
    expect(both.filter((each) => each.includes('<Success>'))).toHaveLength(1);
    expect(await dial()).toContain("code='device-busy'");
    await office.hears('anna', 'ringing 340>370');
    expect(office.told('anna')).toHaveLength(1);
  });
});
