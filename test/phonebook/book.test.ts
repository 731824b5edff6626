import { describe, expect, it } from 'vitest';
import { type Book, makeBook } from '../../src/phonebook/book.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { type Person, type SourceName, sourceNames } from '../../src/phonebook/phonebook.ts';
import { person } from './people.ts';

const everything = new Set(sourceNames);

function bookOf(
  sources: Partial<Record<SourceName, readonly Person[]>>,
  restricted: readonly SourceName[] = [],
): Book {
  const lists = sourceNames.flatMap((name) => {
    const list = sources[name];
    return list === undefined ? [] : [[name, list] as const];
  });
  const work = makeBook({
    sources: new Map(lists),
    restricted: new Set(restricted),
    numbers: createNumbers('DE', '0'),
  });
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

const names = (book: Book, text: string, sources: ReadonlySet<SourceName> = everything) =>
  [...book.find({ text, sources })].map((found) => found.person.displayname);

const office = bookOf({
  file: [
    person({
      name: 'Jürgen Müller-Lüdenscheidt',
      organisation: 'Großhandel Ærø',
      email: 'jm@handel.example',
      numbers: [
        ['phone', '030 1234567'],
        ['mobile', '+49 171 1234567'],
        ['homephone', '!030 7654321'],
      ],
      labels: ['VIP'],
    }),
    person({
      firstname: 'Zoë',
      surname: 'Ångström',
      organisation: 'Łódź Sp.',
      numbers: [['phone', '+48 42 6543210']],
    }),
    person({ name: 'ΣΊΣΥΦΟΣ', numbers: [['phone', '+30 21 0123 4567']] }),
    person({ name: 'a.b|c (50% \\d+)', numbers: [['phone', '+1 212 555 0100']] }),
  ],
});

describe('finding', () => {
  it.each([
    ['JURGEN', 'Jürgen Müller-Lüdenscheidt'],
    ['müller', 'Jürgen Müller-Lüdenscheidt'],
    ['ludensch', 'Jürgen Müller-Lüdenscheidt'],
    ['lüdenscheidt jür', 'Jürgen Müller-Lüdenscheidt'],
    ['GROSSHANDEL', 'Jürgen Müller-Lüdenscheidt'],
    ['aero', 'Jürgen Müller-Lüdenscheidt'],
    ['@HANDEL', 'Jürgen Müller-Lüdenscheidt'],
    ['vip', 'Jürgen Müller-Lüdenscheidt'],
    ['zoe', 'Zoë Ångström'],
    ['angstrom zoë', 'Zoë Ångström'],
    ['lodz', 'Zoë Ångström'],
    ['σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['030 123', 'Jürgen Müller-Lüdenscheidt'],
    ['030/123-45', 'Jürgen Müller-Lüdenscheidt'],
    ['+4930123', 'Jürgen Müller-Lüdenscheidt'],
    ['0049 30 123', 'Jürgen Müller-Lüdenscheidt'],
    ['4930 1234567', 'Jürgen Müller-Lüdenscheidt'],
    ['301234567', 'Jürgen Müller-Lüdenscheidt'],
    ['0171 12', 'Jürgen Müller-Lüdenscheidt'],
    ['65432', 'Zoë Ångström'],
    ['0048 42', 'Zoë Ångström'],
    ['50% \\d', 'a.b|c (50% \\d+)'],
    ['a.b|c', 'a.b|c (50% \\d+)'],
    ['(50%', 'a.b|c (50% \\d+)'],
  ])('%s finds %s', (query, name) => {
    expect(names(office, query)).toEqual([name]);
  });

  it.each([
    '.*',
    '\\w',
    'müller zoë',
    'q',
    'jurgen\nvip q',
    '7654321',
    '030 7654',
    '+49 421',
    '9'.repeat(300),
  ])('%j finds nobody', (query) => {
    expect(names(office, query)).toEqual([]);
  });

  it.each(['', ' ', '\u0000', '\u202e'])('%j finds everybody, by name', (query) => {
    expect(names(office, query)).toEqual([
      'a.b|c (50% \\d+)',
      'Jürgen Müller-Lüdenscheidt',
      'Zoë Ångström',
      'ΣΊΣΥΦΟΣ',
    ]);
  });

  it('goes on where it stopped, also when others came and went', () => {
    const [, second] = [...office.find({ text: '', sources: everything })];
    const rest = (book: Book) =>
      [...book.find({ text: '', sources: everything, after: second?.place })].map(
        (found) => found.person.displayname,
      );
    expect(rest(office)).toEqual(['Zoë Ångström', 'ΣΊΣΥΦΟΣ']);
    expect(rest(bookOf({ file: [person({ name: 'Kim' }), person({ name: 'Anna' })] }))).toEqual(['Kim']);
    expect([...office.find({ text: '', sources: everything, after: 'nonsense' })]).toHaveLength(2);
    expect([...office.find({ text: '', sources: everything, after: '' })]).toHaveLength(4);
  });
});

describe('merging', () => {
  const weber = person({
    source: 'ldap',
    name: 'Thomas Weber',
    email: 'TW@example.org',
    numbers: [['phone', '+49 30 99']],
  });

  it('makes one of what several sources know of a person, and believes the first', () => {
    const book = bookOf({
      file: [
        person({
          name: 'Thomas Weber',
          organisation: 'Weber & Co',
          numbers: [
            ['phone', '030 99'],
            ['mobile', '0171 1'],
          ],
        }),
      ],
      ldap: [weber],
    });
    const [found, ...more] = [...book.find({ text: 'weber', sources: everything })];
    expect(more).toEqual([]);
    expect(found?.person).toMatchObject({
      organisation: 'Weber & Co',
      email: 'tw@example.org',
      numbers: [{ number: '030 99' }, { number: '0171 1' }],
    });
    expect(book.owner('49301')).toBeUndefined();
    expect(book.owner('4930' + '99')?.displayname).toBe('Thomas Weber');
  });

  it('keeps people apart who share a switchboard or a mailbox', () => {
    const colleagues = ['Anna', 'Bert', 'Carla'].map((name) =>
      person({ name, email: 'info@firm.example', numbers: [['phone', '030 1000000']] }),
    );
    const book = bookOf({ file: colleagues });
    expect(names(book, 'firm.example')).toEqual(['Anna', 'Bert', 'Carla']);
    expect(book.owner('49301000000')?.displayname).toBe('Anna');
  });

  it('takes lines with the same id for one person', () => {
    const book = bookOf({
      file: [
        person({ id: '7', name: 'Ada', numbers: [['phone', '030 1111111']] }),
        person({ id: '7', name: 'Countess Ada', numbers: [['mobile', '0171 2222222']] }),
      ],
    });
    expect(names(book, '')).toEqual(['Ada']);
    expect(names(book, '0171 2222222')).toEqual(['Ada']);
  });

  it('keeps namesakes apart', () => {
    const book = bookOf({
      file: [
        person({ name: 'Max Meyer', numbers: [['phone', '030 1111111']] }),
        person({ name: 'Max Meyer', numbers: [['phone', '040 2222222']] }),
      ],
    });
    expect(names(book, 'max')).toEqual(['Max Meyer', 'Max Meyer']);
  });

  it('leaves a source that not everybody may see by itself', () => {
    const secret = person({
      source: 'ldap',
      name: 'Thomas Weber',
      organisation: 'Secret',
      numbers: [['phone', '030 99']],
    });
    const book = bookOf(
      { file: [person({ name: 'Thomas Weber', numbers: [['phone', '030 99']] })], ldap: [secret] },
      ['ldap'],
    );
    expect(names(book, 'weber', new Set(['file']))).toEqual(['Thomas Weber']);
    expect(names(book, 'secret', new Set(['file']))).toEqual([]);
    expect(names(book, 'weber')).toEqual(['Thomas Weber', 'Thomas Weber']);
    expect(bookOf({ ldap: [secret] }, ['ldap']).owner('493099')).toBeUndefined();
  });

  it('names by a private number, too', () => {
    expect(office.owner('49307654321')?.displayname).toBe('Jürgen Müller-Lüdenscheidt');
  });
});
