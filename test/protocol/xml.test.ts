import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeXml, serialize, textOf, xml } from '../../src/protocol/xml.ts';

interface ParsedElement {
  readonly attrs: Record<string, string>;
  getText(): string;
}
const parse: (text: string) => ParsedElement = createRequire(import.meta.url)('ltx').parse;

// Everything a UTF-16 string can hold: controls, lone surrogates, non-characters.
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

describe('serialize', () => {
  it('writes elements, namespaces, attributes and text', () => {
    const element = xml('cmd', { xmlns: 'urn:x', module: "a'b" }, [
      '5 < 6 & 7',
      xml('empty'),
      xml('e', { gone: undefined }),
    ]);
    expect(serialize(element)).toBe(
      "<cmd xmlns='urn:x' module='a&apos;b'>5 &lt; 6 &amp; 7<empty/><e/></cmd>",
    );
  });

  it('never writes what XML 1.0 forbids, and loses nothing else', () => {
    fc.assert(
      fc.property(anyText, anyText, (attribute, text) => {
        const written = serialize(xml('a', { b: attribute }, [text]));
        expect(written).not.toMatch(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
        const read = parse(written);
        const legal = (raw: string) =>
          raw.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
        expect(read.attrs.b).toBe(legal(attribute));
        expect(read.getText()).toBe(legal(text));
      }),
    );
  });

  it('keeps emoji and umlauts as they are', () => {
    expect(escapeXml('Jörg 😀 漢字')).toBe('Jörg 😀 漢字');
  });

  it('replaces what would end the stream', () => {
    expect(escapeXml('a\u0001b\uD800c\uFFFE')).toBe('a\uFFFDb\uFFFDc\uFFFD');
  });
});

describe('textOf', () => {
  it('joins the own text and leaves out what is inside elements', () => {
    expect(textOf(xml('a', {}, ['x', xml('b', {}, ['no']), 'y']))).toBe('xy');
  });
});
