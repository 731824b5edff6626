/** Recordings by a real Asterisk: the file it writes, what everybody is told, and where the recording goes when the call does. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createShelf } from '../src/monitor/shelf.ts';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from './servers/index.ts';
import { type Name, type Office, openOffice } from './stories/office.ts';

const ok = expect.stringContaining('<Success><message>Ok</message>');
let pbx: AsteriskServer;
const phones = new Map<string, Phone>();
const offices: Office[] = [];
let dir: string;

beforeAll(async () => {
  // MixMonitor is in the class `system`, as deploy/asterisk/levels/full.conf has it.
  pbx = await startAsterisk();
  dir = await mkdtemp(join(tmpdir(), 'offhook-mix-'));
  for (const number of ['320', '340', '370']) {
    const phone = await startPhone(pbx, number);
    phone.incoming = 'answer';
    phones.set(number, phone);
  }
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
async function talking(rules: string, mountedAs = dir) {
  const shelf = createShelf({ dir: mountedAs, minFreeBytes: 0, log: pino({ level: 'silent' }) });
  const office = await openOffice(pbx.amiPort, pbx.managers, {
    rules: `  recording: { rules: [${rules}] }\n`,
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
