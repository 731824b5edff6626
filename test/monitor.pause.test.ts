/** Whether a pause is silent in the file, on the oldest and the newest Asterisk: a card number must not be in it. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createShelf } from '../src/monitor/shelf.ts';
import { heardIn } from './monitor/recorder.ts';
import { type AsteriskServer, type Phone, startAsterisk, startPhone, until } from './servers/index.ts';
import { type Office, openOffice } from './stories/office.ts';

const ok = expect.stringContaining('<Success><message>Ok</message>');
const [own, other] = [430, 700];

describe.each(['16', '22'] as const)('Asterisk %s', (version) => {
  let pbx: AsteriskServer;
  let office: Office;
  let dir: string;
  const phones: Phone[] = [];
  beforeAll(async () => {
    pbx = await startAsterisk({ version });
    dir = await mkdtemp(join(tmpdir(), 'offhook-pause-'));
    phones.push(await startPhone(pbx, '340', { voice: own }));
    phones.push(await startPhone(pbx, '370', { voice: other, incoming: 'answer' }));
    const shelf = createShelf({ dir, minFreeBytes: 0, log: pino({ level: 'silent' }) });
    office = await openOffice(pbx.amiPort, pbx.managers, {
      rules: '  recording: { rules: [{ name: own, permission: allow }] }\n',
      recordings: { shelf, pbxDir: dir, keepMs: undefined, keepBytes: undefined },
    });
  });
  afterAll(async () => {
    for (const phone of phones.splice(0)) await phone.stop();
    await office?.stop();
    await pbx?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('writes silence from Pause to Resume, of both voices', async () => {
    await phones[0]?.dial('370');
    await office.hears('anna', 'busy 340>370');
    await office.hears('bernd', 'busy 340>370');
    const channel = office.call('anna');
    const ask = async (command: string) =>
      expect(await office.ask('anna', 'monitor', command, { channel })).toEqual(ok);
    await ask('Start');
    const last = () => office.events('bernd', 'RecordEvent').at(-1) ?? '';
    await until('Bernd is told', () => last().includes("state='recording'"));
    const file = join(dir, /file='([^']+)'/.exec(last())?.[1] ?? '');
    const size = async () => (await stat(file)).size;
    const more = async (bytes: number) => {
      const before = await size();
      await until('the file is longer', async () => (await size()) >= before + bytes);
    };
    await more(8000);
    await ask('Pause');
    // What is on its way is written: Asterisk does so by 4096 bytes.
    await more(8192);
    const from = await size();
    await more(16_000);
    const to = await size();
    await ask('Resume');
    await more(16_000);
    await ask('Stop');
    const sound = await readFile(file);
    const silence = Buffer.concat([sound.subarray(0, 44), sound.subarray(from, to)]);
    for (const voice of [own, other]) {
      expect(heardIn(silence, voice)).toBe(0);
      // Half a second before and half a second after it.
      expect(heardIn(sound, voice)).toBeGreaterThan(0.8);
    }
  });
});
