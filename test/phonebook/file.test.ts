import { appendFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFilePersons } from '../../src/phonebook/file.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { runFolder } from '../servers/folders.ts';
import { until } from '../servers/until.ts';
import { keepLog } from '../xmpp/setup.ts';

async function file(name: string, content?: string) {
  const folder = await runFolder('phonebook');
  onTestFinished(() => folder.remove());
  const path = join(folder.path, name);
  if (content !== undefined) await writeFile(path, content);
  const log = keepLog();
  const reading = { most: 1000, key: createNumbers('DE', '0').key };
  const source = createFilePersons({ path, reading, log, pollMs: 20, settleMs: 10 });
  onTestFinished(() => source.stop());
  await source.start();
  const names = () => source.persons.map((each) => each.displayname);
  const said = (text: string) =>
    log.lines.some(({ message, fields }) => `${message} ${fields.reason}`.includes(text));
  return { path, log, source, names, said };
}

describe('a phonebook file', () => {
  it('is read, and read again when it changes or is replaced', async () => {
    const { path, names } = await file('people.csv', 'name,phone\nAnna,1\n');
    expect(names()).toEqual(['Anna']);
    await appendFile(path, 'Bert,2\n');
    await until('the line is there', () => names().length === 2);
    await writeFile(`${path}.new`, 'name,phone\nCarla,3\n');
    await rename(`${path}.new`, path);
    await until('the other file is there', () => names().join() === 'Carla');
  });

  it('is in memory once, as far as it stays the same', async () => {
    const { path, source, names } = await file(
      'people.csv',
      'id,name,phone\n1,Anna,1\n2,Bert,2\n3,Carla,3\n',
    );
    const [anna, bert, carla] = source.persons;
    await writeFile(path, 'id,name,phone\n3,Carla,3\n2,Bert,22\n4,Dora,4\n1,Anna,1\n');
    await until('the other file is there', () => names().length === 4);
    expect(source.persons[0]).toBe(carla);
    expect(source.persons[3]).toBe(anna);
    expect(source.persons[1]).not.toBe(bert);
    expect(source.persons[1]?.numbers[0]?.number).toBe('22');
  });

  it('reports bad lines by number and takes the others', async () => {
    const { names, log } = await file('people.csv', 'name,phone\nAnna,1\nBert,call me\nCarla,3\n');
    expect(names()).toEqual(['Anna', 'Carla']);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'phonebook file: "call me" is not a number',
        fields: expect.objectContaining({ line: 3 }),
      }),
    );
  });

  it('stays in force while another cannot be read, and is waited for', async () => {
    const { path, names, said } = await file('people.csv', 'name,phone\nAnna,1\n');
    await writeFile(path, 'street\nMain\n');
    await until('the file is refused', () => said('names no column of numbers'));
    await rm(path);
    await until('its loss is noticed', () => said('ENOENT'));
    expect(names()).toEqual(['Anna']);
    await writeFile(path, 'name,phone\nBert,2\n');
    await until('the new file is there', () => names().join() === 'Bert');
  });

  it('may come later', async () => {
    const { path, names, said } = await file('people.vcf');
    expect(said('ENOENT')).toBe(true);
    await writeFile(path, 'BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL:1\nEND:VCARD\n');
    await until('it is there', () => names().join() === 'Ada');
  });

  it('is neither a folder nor larger than memory allows', async () => {
    const { path, said } = await file('people.csv', '');
    await truncate(path, 65 * 1024 * 1024);
    await until('it is refused', () => said('it has 68157440 bytes'));
    const log = keepLog();
    const reading = { most: 10, key: (number: string) => number };
    const folder = createFilePersons({ path: join(path, '..'), reading, log });
    await folder.start();
    await folder.stop();
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });
});
