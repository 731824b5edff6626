import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settings } from '../../src/config/settings.ts';
import { createCdrFile } from '../../src/journal/cdr-file.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createZone } from '../../src/zone.ts';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from '../servers/index.ts';
import { type Name, type Office, openOffice } from '../stories/office.ts';

let pbx: AsteriskServer;
const phones = new Map<string, Phone>();
let office: Office;
/** Asterisk's call records. */
let records: string;

beforeAll(async () => {
  pbx = await startAsterisk({
    extraFiles: {
      'cdr.conf': '[general]\nenable = yes\nunanswered = yes\n[csv]\nusegmtime = yes\nloguniqueid = yes\n',
    },
  });
  const folder = /Log directory: +(\S+)/.exec(await pbx.cli('core show settings'))?.[1] ?? '';
  records = join(folder, 'cdr-csv', 'Master.csv');
  // It makes the file, and not the folder.
  await mkdir(dirname(records));
  await pbx.cli('module load cdr_csv.so');
  for (const number of ['320', '340', '370', 'trunk']) phones.set(number, await startPhone(pbx, number));
});
afterAll(async () => {
  for (const each of phones.values()) await each.stop();
  await pbx?.stop();
});
beforeEach(async () => {
  for (const each of phones.values()) each.incoming = 'answer';
  office = await openOffice(pbx.amiPort, pbx.managers);
});
afterEach(async () => {
  await hangUp();
  await office.stop();
});

function phone(number: string): Phone {
  const found = phones.get(number);
  if (found === undefined) throw new Error(`no telephone ${number}`);
  return found;
}

/** Everybody hangs up. */
async function hangUp(): Promise<void> {
  for (const { calls } of phones.values()) await Promise.all(calls.map((call) => call.hangup()));
  await until('every call is over', async () =>
    /^0 active channels/m.test(await pbx.cli('core show channels count')),
  );
}

/** Somebody's journal, newest first: `<- 340 missed cancelled via queue Support`. */
async function journalOf(who: Name): Promise<readonly string[]> {
  const answer = await office.ask(who, 'journal', 'FindOwn');
  return (answer.match(/<JournalEntry .*?<\/JournalEntry>/gs) ?? []).map((entry) => {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(entry)?.[1] ?? '';
    // Talked with, and not only for the shortest of moments.
    const answered = field('duration') === '0' ? '' : 'answered';
    return [
      field('inbound') === 'true' ? '<-' : '->',
      field('prefix') === '' ? '' : `${field('prefix')}+`,
      field('number'),
      field('result'),
      field('resultDetails'),
      field('via') === '' ? '' : `via ${field('viaDetails')} ${field('via')}`,
      answered,
    ]
      .filter((part) => part !== '')
      .join(' ');
  });
}

/** Waits until everybody's journal is this, and the events have told the same. */
async function journals(expected: Partial<Record<Name, readonly string[]>>): Promise<void> {
  for (const who of ['anna', 'bernd', 'carla'] as const) {
    const wanted = expected[who] ?? [];
    await until(
      `${who} has ${wanted.length} entries`,
      async () => (await journalOf(who)).length >= wanted.length,
    );
    expect([who, await journalOf(who)]).toEqual([who, wanted]);
    await until(`${who} was told`, () => office.events(who, 'JournalEntry').length >= wanted.length);
  }
}

const ok = expect.stringContaining('<Success>');

describe('on a real Asterisk, everybody’s journal shows', () => {
  it('a call that was answered', async () => {
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    await hangUp();
    await journals({ anna: ['-> 370 hangup answered'], bernd: ['<- 340 hangup answered'] });
  });

  it('calls that nobody answered: missed, declined, engaged, given up', async () => {
    phone('370').incoming = 'ring';
    await phone('340').dial('8370');
    await office.hears('bernd', /^hangup .*noanswer/);
    await phone('340').dial('370');
    await (await phone('370').ringing()).decline();
    await office.hears('bernd', /^hangup .*rejected/);
    phone('370').incoming = 'busy';
    await phone('340').dial('370');
    await office.hears('bernd', /^hangup .*busy/);
    phone('370').incoming = 'ring';
    const call = await phone('340').dial('370');
    await phone('370').ringing();
    await office.hears('bernd', /^ringing/);
    await call.hangup();
    await journals({
      anna: ['-> 370 cancelled', '-> 370 busy', '-> 370 rejected', '-> 8370 cancelled noanswer'],
      bernd: ['<- 340 missed cancelled', '<- 340 busy', '<- 340 rejected', '<- 340 missed noanswer'],
    });
  });

  it('a group call that a colleague took', async () => {
    for (const each of phones.values()) each.incoming = 'ring';
    // Whoever calls the group is rung as well, on this telephone system.
    await phone('320').dial('390');
    await office.hears('anna', /^ringing/);
    await office.hears('bernd', /^ringing/);
    await (await phone('370').ringing()).answer();
    await office.hears('bernd', /^busy/);
    await hangUp();
    await journals({
      anna: ['<- 320 answered-elsewhere'],
      bernd: ['<- 320 hangup answered'],
      carla: ['<- 320 answered-elsewhere', '-> 390 hangup answered'],
    });
  });

  it('a queue that rings again, as one call', async () => {
    phone('340').incoming = 'ring';
    await phone('trunk').dial('4930123455', { number: '+4930555', name: 'Zoë' });
    await (await phone('340').ringing()).decline();
    await until('the entry is there', async () => (await journalOf('anna')).length === 1);
    expect(await journalOf('anna')).toEqual(['<- +4930555 rejected via queue Support']);
    await (await phone('340').ringing(30)).answer();
    await office.hears('anna', /^busy/);
    await hangUp();
    await until('the entry is another', async () => /answered$/.test((await journalOf('anna'))[0] ?? ''));
    await journals({ anna: ['<- +4930555 hangup via queue Support answered'] });
    expect(office.events('anna', 'JournalEntry').map((each) => /eventType='(\w+)'/.exec(each)?.[1])).toEqual([
      'new',
      'update',
    ]);
  });

  it('a forwarded call, also for whose number was called', async () => {
    await pbx.cli('database put CF 370 320');
    try {
      await phone('340').dial('370');
      await office.hears('carla', /^busy/);
      await hangUp();
      await journals({
        anna: ['-> 370 hangup answered'],
        bernd: ['<- 340 redirect to'],
        carla: ['<- 340 hangup from via redirect 370 answered'],
      });
    } finally {
      await pbx.cli('database del CF 370');
    }
  });

  it('a call that was picked up', async () => {
    phone('370').incoming = 'ring';
    await phone('340').dial('370');
    await office.hears('bernd', 'ringing 340>370');
    expect(await office.ask('carla', 'base', 'Pickup', { target: 'bernd' })).toEqual(ok);
    await office.hears('carla', 'busy 340>320');
    await hangUp();
    await journals({
      anna: ['-> 370 hangup answered'],
      bernd: ['<- 340 answered-elsewhere'],
      carla: ['<- 340 hangup answered'],
    });
  });

  it('a blind transfer', async () => {
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    expect(
      await office.ask('bernd', 'base', 'Transfer', { channel: office.call('bernd'), target: '320' }),
    ).toEqual(ok);
    await office.hears('carla', /^busy/);
    await hangUp();
    await journals({
      anna: ['-> 370 hangup answered'],
      bernd: ['<- 340 hangup answered'],
      carla: ['<- 340 hangup via transfer 370 answered'],
    });
  });

  it('an attended transfer', async () => {
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    const channel = office.call('bernd');
    expect(await office.ask('bernd', 'base', 'AttendedTransfer', { channel, target: '320' })).toEqual(ok);
    await office.hears('carla', 'busy 370>320');
    expect(await office.ask('bernd', 'base', 'CompleteTransfer', { channel })).toEqual(ok);
    await until('Carla talks to Anna', () => office.told('carla').includes('rename 340>320'));
    await hangUp();
    await journals({
      anna: ['-> 370 hangup answered'],
      bernd: ['<- 340 hangup answered'],
      carla: ['<- 340 hangup via transfer 370 answered'],
    });
  });

  it('an attended transfer by a telephone that made two calls of it', async () => {
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    await phone('370').calls.at(-1)?.hold();
    await office.hears('bernd', 'hold 340>370');
    await phone('370').dial('320');
    await office.hears('bernd', 'busy 370>320');
    expect(await office.ask('bernd', 'base', 'CompleteTransfer', { channel: office.call('bernd') })).toEqual(
      ok,
    );
    await until('Carla talks to Anna', () => office.told('carla').includes('rename 340>320'));
    await hangUp();
    await journals({
      anna: ['-> 370 hangup answered'],
      bernd: ['-> 320 hangup answered', '<- 340 hangup answered'],
      carla: ['<- 340 hangup via transfer 370 answered'],
    });
  });

  it('a click to dial, within and to the outside', async () => {
    expect(await office.ask('anna', 'base', 'Dial', { target: '370' })).toEqual(ok);
    await office.hears('bernd', /^busy/);
    await hangUp();
    expect(await office.ask('anna', 'base', 'Dial', { target: '030 901820', prefix: 'auto' })).toEqual(ok);
    await office.hears('anna', /^busy/);
    await hangUp();
    await journals({
      anna: ['-> 0+ 030901820 hangup answered', '-> 370 hangup answered'],
      bernd: ['<- 340 hangup answered'],
    });
  });

  it('what happened while the bridge was away, from Asterisk’s own records', async () => {
    // What earlier stories left there.
    await rm(records, { force: true });
    const store = createMemoryStore();
    const columns = settings.journal.cdrColumns.default ?? '';
    const cdr = createCdrFile({ path: records, columns: columns.split(','), zone: createZone('UTC') });
    await office.stop();
    office = await openOffice(pbx.amiPort, pbx.managers, { store });
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    await office.stop();
    // This call's end nobody sees, nor anything of the next one.
    await hangUp();
    phone('340').incoming = 'ring';
    const missed = await phone('trunk').dial('4930123456340', { number: '+4930555', name: 'Zoë' });
    await phone('340').ringing();
    await missed.hangup();
    await hangUp();
    office = await openOffice(pbx.amiPort, pbx.managers, { store, journal: { cdr } });
    const marks = async () => (await journalOf('anna')).includes('<- +4930555 missed');
    await until('the records were read', marks, 40);
    // In the same second, and records know no fractions of it.
    expect([...(await journalOf('anna'))].sort()).toEqual(['-> 370 hangup answered', '<- +4930555 missed']);
    expect(await journalOf('bernd')).toEqual(['<- 340 hangup answered']);
  }, 90_000);

  it('a parked call that a colleague fetched', async () => {
    await phone('340').dial('370');
    await office.hears('bernd', 'busy 340>370');
    const answer = await office.ask('bernd', 'base', 'Park', { channel: office.call('bernd') });
    const space = /<space>(\d+)</.exec(answer)?.[1] ?? '';
    await office.hears('bernd', /^hangup/);
    await phone('320').dial(space);
    await office.hears('carla', /^busy/);
    await hangUp();
    await journals({
      anna: ['-> 370 hangup answered'],
      bernd: ['<- 340 hangup answered'],
      carla: ['-> 340 hangup answered'],
    });
  });
});
