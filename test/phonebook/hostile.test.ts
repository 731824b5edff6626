/** What is not made to be read is refused, in bounded time. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessageGate } from '../../src/phonebook/ber.ts';
import { makeBook } from '../../src/phonebook/book.ts';
import { readCsv } from '../../src/phonebook/csv.ts';
import { createNumbers } from '../../src/phonebook/numbers.ts';
import { makePerson } from '../../src/phonebook/person.ts';
import { decode, UnreadableFile } from '../../src/phonebook/reading.ts';
import { readVcards } from '../../src/phonebook/vcard.ts';
import { person } from './people.ts';

const numbers = createNumbers('DE', '0');
const options = { most: 1000, key: numbers.key };

function drive<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Texts out of what the formats mean something by. */
const noise = (...words: string[]) =>
  fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 20, unit: 'binary' })), {
    maxLength: 60,
  });

describe('a file of anything', () => {
  it('is CSV, or refused', () => {
    fc.assert(
      fc.property(
        noise('"', '""', ',', ';', '\n', '\r\n', '"\n', '030 1', 'Anna', '\u0000', '\ufeff'),
        (parts) => {
          const { persons, wrong } = drive(readCsv(`name,phone,labels\n${parts.join('')}`, options));
          expect(persons.length + wrong).toBeLessThanOrEqual(parts.join('').split(/[\r\n]/).length);
          for (const each of persons) expect(each.displayname).toMatch(/^[^\p{Cc}]+$/u);
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        try {
          drive(readCsv(decode(bytes), options));
        } catch (error) {
          expect(error).toBeInstanceOf(UnreadableFile);
        }
      }),
    );
  });

  it('is vCards, or reported', () => {
    const words = [
      'BEGIN:VCARD\n',
      'END:VCARD\n',
      'VERSION:3.0\n',
      'FN:A\n',
      'TEL:1\n',
      ' ',
      ';',
      ':',
      '=',
      '"',
      '\\',
      ',',
      '\n',
    ];
    fc.assert(
      fc.property(noise(...words), (parts) => {
        drive(readVcards(parts.join(''), options));
      }),
    );
  });
});

describe('a person with more numbers than anybody has', () => {
  it('is refused before they are compared with each other', () => {
    let looks = 0;
    const key = (number: string) => {
      looks += 1;
      return number;
    };
    const many = Array.from({ length: 100_000 }, (_, n) => ({ kind: 'phone' as const, number: `030${n}` }));
    expect(makePerson('ldap', { displayname: 'Anna', numbers: many }, key)).toContain('100000 numbers');
    expect(looks).toBeLessThan(1000);
  });
});

describe('a query of anything', () => {
  const people = ['Anna', 'Jürgen Groß', '+*?(', '\\d|x'].map((name, n) =>
    person({ name, numbers: [['phone', `030 ${n}`]] }),
  );
  const book = drive(makeBook({ sources: new Map([['file', people]]), restricted: new Set(), numbers }));

  it('finds whom it describes, and never fails', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 256, unit: 'binary' }),
        fc.string({ maxLength: 50 }),
        (text, after) => {
          const found = [...book.find({ text, after, sources: new Set(['file']) })];
          expect(found.length).toBeLessThanOrEqual(people.length);
        },
      ),
    );
  });

  it('finds everybody by every part of the name', () => {
    const someone = fc.constantFrom(...people.map((each) => each.displayname));
    fc.assert(
      fc.property(someone, fc.nat(10), fc.integer({ min: 1, max: 10 }), (name, from, length) => {
        const text = name.slice(from, from + length);
        const found = [...book.find({ text, sources: new Set(['file']) })].map(
          (each) => each.person.displayname,
        );
        expect(found).toContain(name);
      }),
    );
  });
});

describe('the gate of LDAP messages', () => {
  const number = (value: number) => Buffer.from([0x02, 1, value]);
  const sequence = (content: Buffer) => Buffer.concat([Buffer.from([0x30, content.length]), content]);
  const message = sequence(Buffer.concat([number(1), sequence(number(2))]));

  it('lets whole messages through, in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 7 }), (count, size) => {
        const gate = createMessageGate(() => {});
        const bytes = Buffer.concat(Array.from({ length: count }, () => message));
        const passed: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          const whole = gate(bytes.subarray(at, at + size));
          expect(whole.length % message.length).toBe(0);
          passed.push(Buffer.from(whole));
        }
        expect(Buffer.concat(passed)).toEqual(bytes);
      }),
    );
  });

  it.each([
    ['no sequence', [0x02, 1, 1]],
    ['a length beyond the message', [0x30, 3, 0x04, 5, 1]],
    ['a length without end', [0x30, 0x80, 0, 0]],
    ['a length of five bytes', [0x30, 0x85, 0, 0, 0, 0, 1]],
    ['more than a message may have', [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]],
    ['a number without digits', [0x30, 2, 0x02, 0]],
    ['a number of many bytes', [0x30, 7, 0x0a, 5, 1, 1, 1, 1, 1]],
    ['depth', Array.from({ length: 20 }, (_, n) => [0x30, 38 - 2 * n]).flat()],
  ])('refuses %s', (_what, bytes) => {
    expect(() => createMessageGate(() => {})(Buffer.from(bytes))).toThrow(/^LDAP: /);
  });

  describe('where the library would read into what is no list', () => {
    const element = (tag: number, ...parts: readonly Buffer[]) => {
      const content = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([tag, content.length]), content]);
    };
    const text = element(0x04, Buffer.from('cn'));
    const set = element(0x31, text);
    const list = element(0x30, element(0x30, text, set));
    /** Read as an element it has no end: the library stays there. */
    const trap = (tag: number) => element(tag, Buffer.from([0x04]));
    const reply = (...operationAndControls: readonly Buffer[]) =>
      createMessageGate(() => {})(element(0x30, number(1), ...operationAndControls));
    const done = element(0x65, element(0x0a, Buffer.from([0])), element(0x04), element(0x04));
    const control = (...parts: readonly Buffer[]) => element(0xa0, element(0x30, ...parts));
    const yes = element(0x01, Buffer.from([0xff]));

    it.each([
      ['attributes', [element(0x64, text, trap(0x04))]],
      ['an attribute', [element(0x64, text, element(0x30, trap(0x04)))]],
      [
        'more than an attribute has',
        [element(0x64, text, element(0x30, element(0x30, text, set, trap(0x04))))],
      ],
      ['an attribute without values', [element(0x64, text, element(0x30, element(0x30, text, trap(0x04))))]],
      ['more than an entry has', [element(0x64, text, list, trap(0x04))]],
      ['controls for attributes', [element(0x64, text), control(text, trap(0x01))]],
      ['an entry of nothing', [element(0x64)]],
      ['a control', [done, element(0xa0, trap(0x04))]],
      ['more than a control has', [done, control(text, text, trap(0x04))]],
      ['a control within an answer', [element(0x65, element(0xa0, trap(0x04)))]],
    ])('refuses %s', (_what, parts) => {
      expect(() => reply(...parts)).toThrow(/^LDAP: .* is none/);
    });

    it.each([
      ['an entry', [element(0x64, text, list)]],
      ['one without attributes', [element(0x64, text, element(0x30))]],
      [
        'an attribute without a value',
        [element(0x64, text, element(0x30, element(0x30, text, element(0x31))))],
      ],
      [
        'controls',
        [
          done,
          element(
            0xa0,
            ...[[text], [text, yes], [text, text], [text, yes, text]].map((parts) => element(0x30, ...parts)),
          ),
        ],
      ],
    ])('lets %s through', (_what, parts) => {
      expect(reply(...parts)).toEqual(element(0x30, number(1), ...parts));
    });
  });

  it('keeps what is found from the library, which would gather it, but for the first of each answer', () => {
    const message = (tag: number, id: number) => {
      // A name and no attributes, if it is an entry.
      const operation = Buffer.from([tag, 4, 0x04, 0, 0x30, 0]);
      return sequence(Buffer.concat([number(id), operation]));
    };
    const [entry, reference, done, extended] = [0x64, 0x73, 0x65, 0x78] as const;
    const sent = [entry, entry, extended, reference, entry, done, reference, reference, entry, done];
    const found: number[] = [];
    const gate = createMessageGate((bytes) => found.push(bytes[4] ?? 0));
    const passed = gate(Buffer.concat(sent.map((tag, n) => message(tag, n))));
    expect(passed).toEqual(Buffer.concat([0, 2, 5, 6, 9].map((n) => message(sent[n] ?? 0, n))));
    expect(found).toEqual([0, 1, 4, 8]);
  });

  it('waits for no more than it was told', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
        const gate = createMessageGate(() => {});
        try {
          for (const chunk of chunks) gate(Buffer.from(chunk));
        } catch (error) {
          expect(String(error)).toContain('LDAP: ');
        }
      }),
    );
  });
});
