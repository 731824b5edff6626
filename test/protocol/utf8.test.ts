import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FixedText, Utf8Writer } from '../../src/protocol/utf8.ts';
import { escapeXml } from '../../src/protocol/xml.ts';

// Mostly what is written as it stands; and everything else that a UTF-16 string can hold.
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
    .map((units) => String.fromCharCode(...units)),
  fc.integer({ min: 1, max: 20_000 }).map((length) => 'ü'.repeat(length)),
);
const piece = fc.record({ way: fc.constantFrom('fixed', 'text', 'escaped'), text: anyText });

it('writes what the same texts in one string would be as UTF-8, however long, and begins anew', () => {
  const out = new Utf8Writer();
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      out.clear();
      for (const { way, text } of pieces) {
        if (way === 'fixed') out.fixed(new FixedText(text));
        else if (way === 'text') out.text(text);
        else out.escaped(text);
      }
      const whole = pieces.map(({ way, text }) => (way === 'escaped' ? escapeXml(text) : text));
      // Piece by piece: halves of a surrogate pair that meet in one string would be one character there.
      const expected = Buffer.concat(whole.map((text) => Buffer.from(text)));
      expect(Buffer.compare(out.bytes, expected)).toBe(0);
      expect(out.length).toBe(expected.length);
    }),
  );
});

it('puts another beginning before the same rest for each, as if it were written anew', () => {
  const head = new FixedText("<message to='");
  const out = new Utf8Writer(64);
  fc.assert(
    fc.property(anyText, fc.array(anyText, { maxLength: 4 }), (rest, beginnings) => {
      out.clear();
      out.text(rest);
      for (const beginning of beginnings) {
        const whole = `<message to='${escapeXml(beginning)}`;
        const expected = Buffer.concat([Buffer.from(whole), Buffer.from(rest)]);
        expect(Buffer.compare(out.behind(head, beginning), expected)).toBe(0);
      }
      expect(Buffer.compare(out.bytes, Buffer.from(rest))).toBe(0);
    }),
  );
});
