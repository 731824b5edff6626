/** Recordings by a real Asterisk: the file it writes, what everybody is told, and where the recording goes when the call does. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createShelf } from '../src/monitor/shelf.ts';
import { heardIn, tone } from './monitor/recorder.ts';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from './servers/index.ts';
import { type Name, type Office, openOffice } from './stories/office.ts';

const ok = expect.stringContaining('<Success><message>Ok</message>');
let pbx: AsteriskServer;
const phones = new Map<string, Phone>();
const offices: Office[] = [];
let dir: string;
/** What each telephone is heard by, Hz: none is a harmonic of another. */
const voices = { '320': 1100, '340': 430, '370': 700 } as const;

beforeAll(async () => {
  // MixMonitor is in the class `system`, as deploy/asterisk/levels/full.conf has it.
  pbx = await startAsterisk();
  dir = await mkdtemp(join(tmpdir(), 'offhook-mix-'));
  for (const [number, voice] of Object.entries(voices))
    phones.set(number, await startPhone(pbx, number, { incoming: 'answer', voice }));
});
afterAll(async () => {
  for (const phone of phones.values()) await phone.stop();
  await pbx?.stop();
  await rm(dir, { recursive: true, force: true });
});
afterEach(async () => {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
  for (const office of offices.splice(0)) await office.stop();
});

function phone(number: string): Phone {
  const found = phones.get(number);
  if (found === undefined) throw new Error(`no telephone ${number}`);
  return found;
}

/** The office with rules of recording, Anna and Bernd talking in it. */
async function talking(rules: string, mountedAs = dir, more = '') {
  const shelf = createShelf({ dir: mountedAs, minFreeBytes: 0, log: pino({ level: 'silent' }) });
  const office = await openOffice(pbx.amiPort, pbx.managers, {
    rules: `  recording: { ${more}rules: [${rules}] }\n`,
    recordings: { shelf, pbxDir: dir, keepMs: undefined, keepBytes: undefined },
  });
  offices.push(office);
  await phone('340').dial('370');
  await office.hears('anna', 'busy 340>370');
  await office.hears('bernd', 'busy 340>370');
  const last = (who: Name) => office.events(who, 'RecordEvent').at(-1) ?? '';
  const tells = (who: Name, what: string) => until(`${who} is told ${what}`, () => last(who).includes(what));
  const recordId = () =>
    /recordId='([^']+)'/.exec(
      office.events('anna', 'RecordEvent').findLast((each) => each.includes('recordId')) ?? '',
    )?.[1] ?? '';
  return { office, tells, recordId };
}

/** The number after it of the section in a file. */
const section = (file: string) => /-([0-9]+)\.wav$/.exec(file)?.[1] ?? '';

/** Who is heard in a file for a quarter of a second at least. */
async function voicesIn(file: string): Promise<string[]> {
  const sound = await readFile(join(dir, file));
  return Object.entries(voices).flatMap(([number, hertz]) => (heardIn(sound, hertz) > 0.25 ? number : []));
}

/** The newest section that runs by what somebody was told; it has got half a second longer. */
async function moreOf(office: Office, who: Name): Promise<string> {
  const file = /file='([^']+)'/.exec(office.events(who, 'RecordEvent').at(-1) ?? '')?.[1] ?? '';
  const size = async () => (await stat(join(dir, file))).size;
  const before = await size();
  await until(`${file} is longer`, async () => (await size()) >= before + 8000);
  return file;
}

/** The sections of a recording that somebody may have, as `1 340 370`: its number, and who is heard in it. */
async function sectionsOf(office: Office, who: Name, recordId: string): Promise<string[]> {
  const answer = await office.ask(who, 'monitor', 'FindRecord', { recordId });
  const found = [...answer.matchAll(/<Record duration='([0-9]+)'[^>]* file='([^']+)' state='finished'/g)];
  const sections = [];
  for (const [, , file = ''] of found) sections.push([section(file), ...(await voicesIn(file))].join(' '));
  return sections;
}

describe('a real Asterisk', () => {
  it('records what a user starts, pauses, and stops', async () => {
    const { office, tells, recordId } = await talking('{ name: own, permission: allow }');
    await tells('anna', "permission='allow'");
    const channel = office.call('anna');
    expect(await office.ask('anna', 'monitor', 'Start', { channel })).toEqual(ok);
    await tells('bernd', "state='recording'");
    expect(await office.ask('bernd', 'monitor', 'Pause', { channel: office.call('bernd') })).toEqual(ok);
    await tells('anna', "state='paused'");
    expect(await office.ask('bernd', 'monitor', 'Resume', { channel: office.call('bernd') })).toEqual(ok);
    expect(await office.ask('bernd', 'monitor', 'Stop', { channel: office.call('bernd') })).toContain(
      "code='not-permitted'",
    );
    expect(await office.ask('anna', 'monitor', 'Stop', { channel })).toEqual(ok);
    const id = recordId();
    await tells('bernd', "eventType='stop'");
    await until('the file is finished', async () =>
      /state='finished'[^>]*><AudioFile format='wav' size='[1-9]/.test(
        await office.ask('anna', 'monitor', 'FindRecord', { recordId: id }),
      ),
    );
    expect(await readdir(dir)).toContain(`${id}-1.wav`);
  });

  it('records by rule, and goes on with those who talk on after a transfer', async () => {
    const { office, tells, recordId } = await talking('{ name: bernd, permission: auto, users: [bernd] }');
    await tells('bernd', "permission='auto'");
    await tells('anna', "state='recording'");
    const id = recordId();
    expect(
      await office.ask('bernd', 'base', 'Transfer', { channel: office.call('bernd'), target: '320' }),
    ).toEqual(ok);
    await tells('carla', `file='${id}-2.wav'`);
    await tells('bernd', "eventType='stop'");
    await until('both files are there', async () => {
      const files = await readdir(dir);
      return [1, 2].every((section) => files.includes(`${id}-${section}.wav`));
    });
    // Carla was not in the first part, and Bernd not in the second.
    const carla = await office.ask('carla', 'monitor', 'FindRecord', { recordId: id });
    expect(carla).toContain(`file='${id}-2.wav'`);
  });

  it('says so when it cannot write, and the call goes on', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'offhook-mix-'));
    const { office } = await talking('{ name: own, permission: allow }', elsewhere);
    expect(await office.ask('anna', 'monitor', 'Start', { channel: office.call('anna') })).toContain(
      "code='not-available'",
    );
    expect(office.told('anna').at(-1)).toBe('busy 340>370');
    await rm(elsewhere, { recursive: true });
  });

  it('tells both before it records, and records nothing where it cannot', async () => {
    const sound = join(await mkdtemp(join(dir, 'sound-')), 'tone');
    await writeFile(`${sound}.wav`, tone(1300, 3));
    for (const step of ['1,Answer,', `2,Playback,${sound}`]) {
      await pbx.cli(`dialplan add extension 777,${step} into internal`);
    }
    const { office, tells } = await talking('{ name: own, permission: allow }', dir, 'announce: "777", ');
    const channel = office.call('anna');
    expect(await office.ask('anna', 'monitor', 'Start', { channel })).toEqual(ok);
    await tells('bernd', "state='recording'");
    await until('both hear it', () => ['340', '370'].every((each) => phone(each).heard(1300) > 0.5));
    expect(await office.ask('anna', 'monitor', 'Stop', { channel })).toEqual(ok);
    await until('it is over', async () => !/ChanSpy/.test(await pbx.cli('core show channels')));
    // No such extension.
    await pbx.cli('dialplan remove extension 777@internal');
    const files = async () => (await readdir(dir)).filter((each) => each.endsWith('.wav'));
    const before = await files();
    expect(await office.ask('anna', 'monitor', 'Start', { channel })).toContain("code='rejected'");
    expect(office.told('anna').at(-1)).toBe('busy 340>370');
    expect(await files()).toEqual(before);
  });

  it('is found recording by the next bridge', async () => {
    const { office, tells, recordId } = await talking('{ name: own, permission: allow }');
    const channel = office.call('anna');
    await office.ask('anna', 'monitor', 'Start', { channel });
    await tells('anna', "state='recording'");
    const id = recordId();
    await offices.shift()?.stop();
    const shelf = createShelf({ dir, minFreeBytes: 0, log: pino({ level: 'silent' }) });
    const next = await openOffice(pbx.amiPort, pbx.managers, {
      rules: '  recording: { rules: [{ name: own, permission: allow }] }\n',
      recordings: { shelf, pbxDir: dir, keepMs: undefined, keepBytes: undefined },
    });
    offices.push(next);
    await until('it is known', async () =>
      (await next.ask('anna', 'monitor', 'Start', { channel })).includes("code='already-exists'"),
    );
    await until('it can be stopped', async () =>
      (await next.ask('anna', 'monitor', 'Stop', { channel })).includes('<Success>'),
    );
    expect(await next.ask('anna', 'monitor', 'FindRecord', { recordId: id })).toContain("state='finished'");
  });
});

describe('a recording follows its call, each section with the voices of those who may have it', () => {
  const rules = [
    ['of who hands it on', '{ name: own, permission: auto, users: [bernd] }'],
    ['of who stays', '{ name: own, permission: auto, users: [anna] }'],
  ] as const;
  const over = async (office: Office) => {
    await phone('340').calls.at(-1)?.hangup();
    await office.hears('anna', /^hangup/);
    await until('nothing runs', () =>
      /eventType='stop'/.test(office.events('anna', 'RecordEvent').at(-1) ?? ''),
    );
  };

  it.each(rules)('through an attended transfer by command, by the rule %s', async (whose, rule) => {
    const { office, tells, recordId } = await talking(rule);
    await tells('anna', "state='recording'");
    const first = await moreOf(office, 'anna');
    const channel = office.call('bernd');
    expect(await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' })).toEqual(ok);
    await office.hears('carla', 'busy 370>320');
    await tells('anna', "eventType='stop'");
    const isTheirs = whose === 'of who hands it on';
    // A consultation is recorded where the rule is about one of the two who talk, and is not for who waits.
    if (isTheirs) {
      await tells('carla', "state='recording'");
      await moreOf(office, 'carla');
    }
    expect(await office.ask('bernd', 'base', 'CompleteTransfer', { channel })).toEqual(ok);
    await tells('carla', 'headchannel>PJSIP/340');
    await tells('anna', "state='recording'");
    const last = await moreOf(office, 'anna');
    await over(office);
    const consulted = isTheirs ? ['2 320 370'] : [];
    const end = `${section(last)} 320 340`;
    expect(section(last)).toBe(isTheirs ? '3' : '2');
    const id = recordId();
    expect(first).toBe(`${id}-1.wav`);
    expect(await sectionsOf(office, 'anna', id)).toEqual(['1 340 370', end]);
    expect(await sectionsOf(office, 'bernd', id)).toEqual(['1 340 370', ...consulted]);
    // Carla is a supervisor besides.
    expect(await sectionsOf(office, 'carla', id)).toEqual(['1 340 370', ...consulted, end]);
  });

  it('through an attended transfer on the telephone', async () => {
    const { office, tells, recordId } = await talking(rules[0][1]);
    await tells('anna', "state='recording'");
    await moreOf(office, 'anna');
    const id = recordId();
    const waiting = phone('370').calls.at(-1);
    await waiting?.hold();
    await tells('anna', "state='held'");
    const consulting = await phone('370').dial('320');
    await office.hears('carla', 'busy 370>320');
    // A call of Bernd's, too.
    await tells('carla', "state='recording'");
    await moreOf(office, 'carla');
    expect(await waiting?.transferTo(consulting)).toBe(202);
    await tells('carla', 'headchannel>PJSIP/340');
    await tells('carla', "state='recording'");
    const last = await moreOf(office, 'carla');
    await over(office);
    const mine = (await sectionsOf(office, 'anna', id)).concat(
      await sectionsOf(office, 'anna', last.slice(0, -6)),
    );
    expect(mine).toContain('1 340 370');
    expect(mine).toContain(`${section(last)} 320 340`);
    expect(mine.join()).not.toContain('320 370');
    expect(await sectionsOf(office, 'bernd', id)).toEqual(['1 340 370']);
  });

  it.each(rules)('through parking, without the music, by the rule %s', async (_whose, rule) => {
    const { office, tells, recordId } = await talking(rule);
    await tells('anna', "state='recording'");
    await moreOf(office, 'anna');
    const id = recordId();
    const answer = await office.ask('bernd', 'base', 'Park', { channel: office.call('bernd') });
    const space = /<space>(\d+)</.exec(answer)?.[1] ?? '';
    await office.hears('bernd', /^hangup/);
    await tells('anna', "eventType='stop'");
    const parked = await stat(join(dir, `${id}-1.wav`));
    await phone('320').dial(space);
    await tells('carla', "state='recording'");
    await tells('anna', `file='${id}-2.wav'`);
    await moreOf(office, 'anna');
    await over(office);
    expect(await sectionsOf(office, 'anna', id)).toEqual(['1 340 370', '2 320 340']);
    expect(await sectionsOf(office, 'bernd', id)).toEqual(['1 340 370']);
    expect((await stat(join(dir, `${id}-1.wav`))).size).toBe(parked.size);
  });
});
