import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../src/phonebook/csv.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { decode, type Reading } from '../../src/phonebook/reading.ts';
import { readVcards } from '../../src/phonebook/vcard.ts';

function drive(work: Generator<void, Reading>): Reading {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
const options = { most: 1000, key: createNumbers('DE', '0').key };
const csv = (...lines: string[]) => drive(readCsv(lines.join('\n'), options));
const cards = (...lines: string[]) => drive(readVcards(lines.join('\n'), options));
const shown = ({ persons }: Reading) =>
  persons.map(({ displayname, numbers }) =>
    `${displayname} ${numbers.map((each) => each.number).join(' ')}`.trim(),
  );
const wrong = ({ mistakes }: Reading) => mistakes.map(({ line, text }) => `${line}: ${text}`);

describe('CSV', () => {
  it('takes every field', () => {
    const { persons, wrong } = csv(
      'id,First Name,Surname,Company,Phone,Phone 2,Mobile,Fax,Home Phone,E-mail,Labels,Private,Shoe size',
      '7,Ada,Kunde,"Kunde, Söhne & Co",030 1,"030 2; 030 3",0171 1,030 4,030 5,Ada@Kunde.example,VIP;Berlin,homephone mobile,38',
    );
    expect(wrong).toBe(0);
    expect(persons).toEqual([
      {
        id: 'file-7',
        jid: undefined,
        firstname: 'Ada',
        surname: 'Kunde',
        displayname: 'Ada Kunde',
        organisation: 'Kunde, Söhne & Co',
        email: 'ada@kunde.example',
        numbers: [
          { kind: 'phone', number: '030 1', key: '49301', isPrivate: false },
          { kind: 'phone', number: '030 2', key: '49302', isPrivate: false },
          { kind: 'phone', number: '030 3', key: '49303', isPrivate: false },
          { kind: 'fax', number: '030 4', key: '49304', isPrivate: false },
          { kind: 'mobile', number: '0171 1', key: '491711', isPrivate: true },
          { kind: 'homephone', number: '030 5', key: '49305', isPrivate: true },
        ],
        labels: ['VIP', 'Berlin'],
      },
    ]);
  });

  it.each([
    ['commas', 'name,phone', 'A,1'],
    ['semicolons', 'name;phone', 'A;1'],
    ['tabs', 'name\tphone', 'A\t1'],
    ['what the file says', 'sep=|\nname|phone', 'A|1'],
    ['CRLF', 'name,phone\r', 'A,1\r'],
    ['German columns', 'Nachname;Telefon geschäftlich', 'A;1'],
    ['blank lines', '\n\nname,phone\n', '\nA,1\n'],
    ['a byte order mark', '\ufeffname,phone', 'A,1'],
  ])('understands %s', (_what, head, line) => {
    expect(shown(csv(head, line))).toEqual(['A 1']);
  });

  it('understands carriage returns alone', () => {
    expect(shown(drive(readCsv('name,phone\rA,1\rB,2', options)))).toEqual(['A 1', 'B 2']);
  });

  it('keeps the id of who stays the same', () => {
    const [first] = csv('name,phone', 'A,1').persons;
    const [, again] = csv('name,phone', 'B,2', 'A,1').persons;
    expect(again?.id).toBe(first?.id);
  });

  it('skips bad lines and says which', () => {
    const reading = csv(
      'name,phone',
      'Ada,030 1',
      'Bert,030 2,surplus',
      ',',
      'Carl,call me',
      `${'x'.repeat(300)},030 3`,
      `"${'y'.repeat(1_000_000)}",030 3`,
      'Dora "Dee",030 4',
      '"Emil',
      'Kästner",030 5',
      'Fritz,"030 6',
      'Gerda,030 7',
    );
    expect(shown(reading)).toEqual(['Ada 030 1', 'Emil Kästner 030 5', 'Gerda 030 7']);
    expect(wrong(reading)).toEqual([
      '3: there are 3 fields, the first line names 2',
      '4: there is neither a name nor a number',
      '5: "call me" is not a number',
      '6: the displayname has 300 characters, 256 are possible',
      '7: there are 1000008 characters, 65536 are possible',
      '8: quotation marks are not where they may be',
      '11: a quotation mark is not closed',
    ]);
  });

  it('finds the good lines behind a quotation mark that nobody closes', () => {
    const reading = csv('name,phone', '"A,1', ...Array.from({ length: 200 }, (_, n) => `P${n},${n + 100}`));
    expect(reading.persons).toHaveLength(200);
    expect(wrong(reading)).toEqual(['2: a quotation mark is not closed']);
  });

  it('cleans what is shown', () => {
    const [person] = csv('name,phone,company', 'A\u0000\u001b[31m\u202e  B\t,+49\u200b30,\ud800').persons;
    expect(person).toMatchObject({
      displayname: 'A [31m B',
      organisation: '�',
      numbers: [{ number: '+49 30' }],
    });
  });

  it('reads the sample', () => {
    const sample = readFileSync(new URL('../../deploy/phonebook.example.csv', import.meta.url));
    const reading = drive(readCsv(decode(sample), options));
    expect(wrong(reading)).toEqual([]);
    expect(shown(reading)).toHaveLength(4);
  });

  it('refuses a file without numbers, and takes an empty one', () => {
    expect(() => csv('street,town', 'A,B')).toThrow('names no column of numbers');
    expect(() => csv('%PDF-1.7', '\u0000\u0001')).toThrow('names no column of numbers');
    expect(csv('')).toEqual({ persons: [], mistakes: [], wrong: 0 });
  });

  it('counts what is beyond its limits', () => {
    const reading = drive(readCsv(`name,phone\n${'A,1\n'.repeat(100)}`, { ...options, most: 10 }));
    expect(reading.persons).toHaveLength(10);
    expect(reading.wrong).toBe(90);
    expect(reading.mistakes).toHaveLength(50);
    expect(reading.mistakes[0]?.text).toContain('PHONEBOOK_MAX_ENTRIES');
  });
});

describe('character sets', () => {
  const text = 'name,phone\nMüller €,030 1\n';
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 little endian', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 big endian', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['Windows-1252', Buffer.from(text.replace('€', '\x80'), 'latin1')],
  ])('%s', (_name, bytes) => {
    expect(shown(drive(readCsv(decode(bytes), options)))).toEqual(['Müller € 030 1']);
  });
});

describe('vCards', () => {
  const ada = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    'UID:u-1',
    'N:Kunde;Ada;;Dr.;',
    'FN:Dr. Ada Ku',
    ' nde',
    'ORG:Kunde\\, Söhne;Sales',
    'EMAIL;TYPE=INTERNET:ada@kunde.example',
    'TEL;TYPE=WORK,VOICE:+49 30 1',
    'TEL;TYPE=CELL:0171 1',
    'TEL;TYPE="home,fax":030 4',
    'item1.TEL;TYPE=HOME:030 5',
    'item1.X-ABLabel:home',
    'CATEGORIES:VIP,Berlin',
    'PHOTO;ENCODING=b;TYPE=JPEG:AAAA',
    ` ${'A'.repeat(200_000)}`,
    'END:VCARD',
  ];

  it('takes every field', () => {
    const reading = cards(...ada);
    expect(wrong(reading)).toEqual([]);
    expect(reading.persons).toMatchObject([
      {
        id: 'file-u-1',
        firstname: 'Ada',
        surname: 'Kunde',
        displayname: 'Dr. Ada Kunde',
        organisation: 'Kunde, Söhne',
        email: 'ada@kunde.example',
        numbers: [
          { kind: 'phone', number: '+49 30 1' },
          { kind: 'mobile', number: '0171 1' },
          { kind: 'fax', number: '030 4' },
          { kind: 'homephone', number: '030 5' },
        ],
        labels: ['VIP', 'Berlin'],
      },
    ]);
  });

  it('reads version 4.0', () => {
    const reading = cards(
      'BEGIN:VCARD',
      'VERSION:4.0',
      'FN:Zoë',
      'TEL;VALUE=uri;TYPE="voice,cell":tel:+48-42-654',
      'END:VCARD',
    );
    expect(reading.persons).toMatchObject([
      { displayname: 'Zoë', numbers: [{ kind: 'mobile', number: '+48-42-654' }] },
    ]);
  });

  it('hides the numbers of a private card', () => {
    const [person] = cards(
      'BEGIN:VCARD',
      'VERSION:3.0',
      'FN:A',
      'CLASS:PRIVATE',
      'TEL:1',
      'END:VCARD',
    ).persons;
    expect(person?.numbers).toEqual([{ kind: 'phone', number: '1', key: '1', isPrivate: true }]);
  });

  it('skips bad cards and says where they begin', () => {
    const reading = cards(
      'BEGIN:VCARD',
      'VERSION:3.0',
      'FN:Lost',
      ...ada,
      'nonsense',
      'BEGIN:VCARD',
      'VERSION:2.1',
      'TEL;WORK:1',
      'END:VCARD',
      'BEGIN:VCARD',
      'VERSION:3.0',
      'no colon',
      'END:VCARD',
      'BEGIN:VCARD',
      'VERSION:3.0',
      `NOTE:${'x'.repeat(100_000)}`,
      'END:VCARD',
      'BEGIN:VCARD',
    );
    expect(shown(reading)).toHaveLength(1);
    expect(wrong(reading)).toEqual([
      '1: the card does not end',
      '21: expected BEGIN:VCARD',
      '22: vCard 2.1 is not read: export as 3.0 or 4.0',
      '26: invalid line (no token ";" or ":") "no colon"',
      '30: the card has 100036 characters, 65536 are possible',
      '34: the card does not end',
    ]);
  });
});
