import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entriesOf, parseCdr } from '../../src/journal/cdr.ts';
import { createCdrFile } from '../../src/journal/cdr-file.ts';
import { createCompletion } from '../../src/journal/completion.ts';
import { decodeEntry, type JournalChange } from '../../src/journal/entry.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { createZone } from '../../src/zone.ts';
import { type RunFolder, runFolder } from '../servers/folders.ts';
import { until } from '../servers/until.ts';
import { directory, eventsOf, jidOf, journalOn } from './office.ts';

const columns =
  'accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags,uniqueid,userfield'.split(
    ',',
  );
const form = { columns, zone: createZone('UTC') };
const names = { directory, nameOf: () => undefined, outsidePrefix: '0' };
const stamp = (at: number) => (at === 0 ? '' : new Date(at).toISOString().slice(0, 19).replace('T', ' '));

/** A line as cdr_csv writes it. */
function line(
  [src, channel]: [string, string],
  [dst, dstchannel]: [string, string],
  disposition: string,
  start: number,
  seconds: [whole: number, talk: number],
  uniqueid = '1.1',
): string {
  const [whole, talk] = seconds;
  const answer = talk === 0 ? 0 : start + (whole - talk) * 1000;
  const clid = src.startsWith('+') ? `"Zoë "Z" Outside" <${src}>` : `"" <${src}>`;
  const cells = ['', src, dst, 'internal', clid, channel, dstchannel, 'Dial', 'PJSIP/x,20'];
  const times = [stamp(start), stamp(answer), stamp(start + whole * 1000)];
  const quoted = [...cells, ...times].map((cell) => `"${cell.replaceAll('"', '""')}"`);
  return `${[...quoted, whole, talk, `"${disposition}"`, '"DOCUMENTATION"', `"${uniqueid}"`, '""'].join(',')}\n`;
}

const noon = Date.UTC(2026, 10, 26, 12, 0, 0);
const anna: [string, string] = ['340', 'PJSIP/340-00000001'];
const bernd: [string, string] = ['370', 'PJSIP/370-00000002'];
const carla: [string, string] = ['600', 'PJSIP/320-00000003'];
const stranger: [string, string] = ['+4930123456', 'PJSIP/trunk-00000004'];

/** What the entries of some lines say. */
function told(text: string) {
  return entriesOf(parseCdr(text, form).rows, names).map(
    ({ owner, entry: { inbound, number, name, result, duration, connected } }) =>
      `${owner.slice(4, 7)} ${inbound ? '<-' : '->'} ${number} "${name}" ${result} ${duration} ${connected}`,
  );
}

describe('call records', () => {
  it('stand for the entries of everybody who took part', () => {
    expect(told(line(anna, bernd, 'ANSWERED', noon, [75, 63]))).toEqual([
      '340 -> 370 "Bernd Schmidt" hangup 75 63',
      '370 <- 340 "Anna Müller" hangup 75 63',
    ]);
    expect(told(line(anna, bernd, 'BUSY', noon, [3, 0]))).toEqual([
      '340 -> 370 "Bernd Schmidt" busy 0 0',
      '370 <- 340 "Anna Müller" busy 0 0',
    ]);
    expect(told(line(stranger, ['340', anna[1]], 'NO ANSWER', noon, [20, 0]))).toEqual([
      '340 <- +4930123456 "Zoë "Z" Outside" missed 0 0',
    ]);
    expect(told(line(anna, ['001721234567', 'PJSIP/trunk-5'], 'NO ANSWER', noon, [20, 0]))).toEqual([
      '340 -> 01721234567 "" cancelled 0 0',
    ]);
  });

  it('of a group call are one entry for each, and no colleague has missed it', () => {
    const group =
      line(stranger, ['600', bernd[1]], 'NO ANSWER', noon, [9, 0]) +
      line(stranger, carla, 'ANSWERED', noon, [30, 21]);
    expect(told(group)).toEqual([
      '370 <- +4930123456 "Zoë "Z" Outside" answered-elsewhere 0 0',
      '320 <- +4930123456 "Zoë "Z" Outside" hangup 30 21',
    ]);
  });

  it('may have any order of columns, local times, fractions, and lines that are none', () => {
    const custom = {
      columns: ['start', 'end', 'channel', 'dstchannel', 'dst', 'src', 'disposition', 'billsec'],
      zone: createZone('Europe/Berlin'),
    };
    const text =
      'start,end,channel\n"2026-11-26 12:00:00.123456","2026-11-26 12:00:10.5",PJSIP/340-1,PJSIP/370-2,370,340,ANSWERED,8\n' +
      '"torn "quote,1\n,,,\n2026-13-45 99:00:00,2026-11-26 12:00:10,PJSIP/340-1\n\u0000\u0001\n';
    const { rows, skipped } = parseCdr(text, custom);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.start).toBe(Date.parse('2026-11-26T12:00:00.123+01:00'));
    expect(rows[0]?.end).toBe(Date.parse('2026-11-26T12:00:10.500+01:00'));
    expect(skipped).toBeGreaterThan(1);
  });
});

describe('the file', () => {
  let folder: RunFolder;
  let path: string;
  beforeEach(async () => {
    folder = await runFolder('cdr');
    path = join(folder.path, 'Master.csv');
  });
  afterEach(() => folder.remove());

  it('is read from its end, as far back as is needed', async () => {
    const old = line(anna, bernd, 'ANSWERED', noon - 86_400_000, [75, 63]);
    await writeFile(path, old.repeat(30_000));
    for (let minute = 0; minute < 5; minute++)
      await appendFile(path, line(anna, bernd, 'ANSWERED', noon + minute * 60_000, [10, 5], `2.${minute}`));
    const tail = await createCdrFile({ path, ...form }).read(noon + 60_000, noon + 4 * 60_000);
    expect(tail).toMatchObject({ complete: true, skipped: 0 });
    expect(tail.rows.map(({ uniqueid }) => uniqueid)).toEqual(['2.1', '2.2', '2.3']);
  });

  it('completes the journal: what was missed, what is not known for certain, and nothing else', async () => {
    const store = createMemoryStore();
    const office = journalOn(store);
    const events = eventsOf('01_');
    const end = events.findIndex(({ type }) => type === 'hangup');
    office.take(events.slice(0, end));
    const lost = Date.now();
    office.journal.apply({ type: 'feed-down', at: lost }, []);
    const back = lost + 60_000;
    const snapshot = { channels: [], bridges: [], devices: new Map(), meanwhile: [] };
    const gone = { type: 'snapshot', at: back, snapshot } as const;
    office.journal.apply(gone, office.calls.apply(gone));
    const book = store.ledger('journal');
    const entriesFor = async (extension: string) =>
      (await book.read(jidOf(extension), { limit: 10 })).flatMap(
        ({ id, at, text }) => decodeEntry(id, at, text) ?? [],
      );
    const [before] = await entriesFor('340');
    expect(before).toMatchObject({ certain: false, number: '370' });

    const channels = [before?.channels[0] ?? '', (await entriesFor('370'))[0]?.channels[0] ?? ''] as const;
    const began = before?.timestamp ?? 0;
    await writeFile(
      path,
      // The call whose end nobody saw, one of which nobody saw anything, and one that ended before.
      line(
        ['340', channels[0]],
        ['370', channels[1]],
        'ANSWERED',
        began,
        [Math.ceil((lost + 30_000 - began) / 1000), 29],
        before?.id,
      ) +
        line(stranger, ['340', 'PJSIP/340-000000ff'], 'NO ANSWER', lost + 20_000, [15, 0], '9.9') +
        line(stranger, ['340', 'PJSIP/340-000000fe'], 'NO ANSWER', lost - 60_000, [15, 0], '8.8'),
    );
    const lines: string[] = [];
    const told: JournalChange[] = [];
    const completion = createCompletion({
      book,
      store,
      source: createCdrFile({ path, ...form }),
      names: () => names,
      tell: (changes) => told.push(...changes),
      log: pino({}, { write: (text: string) => void lines.push(text) }),
      now: Date.now,
      // Twice: Asterisk may be late with its records.
      afterMs: [1, 50],
    });
    completion.gap(lost, back);
    await until('it is completed', () => told.length === 3);
    expect(told.map(({ type, owner }) => `${type} ${owner.slice(4, 7)}`).sort()).toEqual([
      'new 340',
      'update 340',
      'update 370',
    ]);
    const [missed, call, ...rest] = await entriesFor('340');
    expect(rest).toEqual([]);
    expect(missed).toMatchObject({
      id: '9.9-in',
      result: 'missed',
      number: '+4930123456',
      name: 'Zoë "Z" Outside',
    });
    expect(call).toMatchObject({
      id: before?.id,
      certain: true,
      connected: 29,
      result: 'hangup',
      number: '370',
    });
    expect((await entriesFor('370'))[0]).toMatchObject({ certain: true, connected: 29 });
    const looks = () => lines.filter((text) => text.includes('completed from')).length;
    const looked = looks();
    completion.gap(lost, back);
    await until('it was looked at again, twice', () => looks() >= looked + 2);
    completion.stop();
    expect(told).toHaveLength(3);
  });
});
