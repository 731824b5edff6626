import { component, type LtxElement } from '@xmpp/component';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialize, type XmlElement, type XmlNode } from '../src/protocol/xml.ts';
import { normalize } from '../src/xmpp/element.ts';
import { guardParser } from '../src/xmpp/parser.ts';
import { failureEnd, streamErrorEnd } from '../src/xmpp/refusal.ts';
import { parseService, showTarget } from '../src/xmpp/service.ts';

const header =
  "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' xmlns:d='urn:stream'>";
const LibraryParser = component({ service: 'xmpp://localhost', domain: 'a.test', password: '' }).Parser;

/** What the guarded parser makes of a stream, given in pieces. */
function parse(...pieces: string[]) {
  const elements: LtxElement[] = [];
  const streamErrors: LtxElement[] = [];
  const broken: Error[] = [];
  const oversized: LtxElement[] = [];
  const Parser = guardParser(LibraryParser, 1000, {
    onStreamError: (error) => streamErrors.push(error),
    onBroken: (error) => broken.push(error),
    onOversized: (stanza) => oversized.push(stanza),
  });
  const parser = new Parser();
  parser.on('element', (element: LtxElement) => elements.push(element));
  for (const piece of [header, ...pieces]) parser.write(piece);
  return { parser, elements, streamErrors, broken, oversized };
}

function stanza(text: string, maxDepth = 10): XmlElement | undefined {
  const [element] = parse(text).elements;
  return element === undefined ? undefined : normalize(element, maxDepth);
}

describe('from the wire to a tree', () => {
  test('prefixes are resolved wherever they were declared, and gone', () => {
    const iq = stanza(
      "<iq type='get' xml:lang='de'><p:a xmlns:p='urn:p' p:x='1' y='2'><p:b/><c/><d:e xmlns='urn:q'><f/></d:e></p:a></iq>",
    );
    const leaf = (name: string, ns?: string): XmlElement => ({ name, ns, attrs: new Map(), children: [] });
    expect(iq).toEqual({
      name: 'iq',
      ns: undefined,
      attrs: new Map([
        ['type', 'get'],
        ['xml:lang', 'de'],
      ]),
      children: [
        {
          name: 'a',
          ns: 'urn:p',
          attrs: new Map([['y', '2']]),
          children: [
            leaf('b'),
            leaf('c', 'jabber:component:accept'),
            { name: 'e', ns: 'urn:stream', attrs: new Map(), children: [leaf('f', 'urn:q')] },
          ],
        },
      ],
    });
  });

  test('an empty default namespace is one; names like those of object properties are names', () => {
    const iq = stanza("<iq><constructor xmlns='' hasOwnProperty='1'/></iq>");
    expect(iq?.children).toEqual([
      { name: 'constructor', ns: '', attrs: new Map([['hasOwnProperty', '1']]), children: [] },
    ]);
  });

  test('nesting has a limit, however deep it goes', () => {
    const nested = (depth: number) => stanza(`<iq>${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}</iq>`, 10);
    expect(nested(9)).toBeDefined();
    expect(nested(10)).toBeUndefined();
  });

  test('what we write, we read: any tree survives', () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((value) => /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u.test(value));
    const name = fc.stringMatching(/^[a-z][a-zA-Z0-9.-]{0,8}$/).filter((value) => value !== 'xmlns');
    const tree = fc.letrec<{ element: XmlElement }>((tie) => ({
      element: fc.record({
        name,
        ns: fc.constant(undefined),
        attrs: fc.array(fc.tuple(name, text)).map((pairs) => new Map(pairs)),
        // Texts side by side would come back as one.
        children: fc.oneof(
          { maxDepth: 3 },
          fc.constant([]),
          text.map((one): XmlNode[] => [one]),
          fc.array(tie('element'), { maxLength: 3 }),
        ),
      }),
    })).element;
    fc.assert(
      fc.property(tree, (element) => {
        const written = serialize(element);
        fc.pre(written.length < 900);
        expect(stanza(written)).toEqual(element);
      }),
    );
  });
});

describe('the guarded parser', () => {
  test.each([
    ['tags that do not match', '<a><b></a></b></c>'],
    ['an unknown entity', '<a>&nope;</a><b>&nope;</b>'],
    ['a forbidden character', '<a>&#1;</a>'],
    ['too large a stanza', `<a>${'x'.repeat(1100)}`],
  ])('%s: told once, nothing thrown, nothing read after it', (_, text) => {
    const { broken, elements } = parse('<ok/>', text, '<more/>', '</even></more>');
    expect(broken).toHaveLength(1);
    expect(elements.map(({ name }) => name)).toEqual(['ok']);
  });

  test('many small stanzas are no large one; white space between them does not gather', () => {
    const { broken, elements, parser } = parse(
      ...Array.from({ length: 100 }, () => `<a>${'x'.repeat(100)}</a>\n  `),
    );
    expect(broken).toEqual([]);
    expect(elements).toHaveLength(100);
    expect(parser.root?.children.length).toBeLessThanOrEqual(1);
  });

  test('what a stanza holds beyond the limit is dropped as it comes; the next one is whole', () => {
    const items = Array.from(
      { length: 100 },
      (_, n) => `<item n='${n}'><group>${'x'.repeat(50)}</group></item>`,
    );
    const { broken, elements, oversized } = parse('<iq id="large">', ...items, '</iq>', '<iq id="next"/>');
    expect(broken).toEqual([]);
    expect(oversized.map(({ attrs }) => attrs.id)).toEqual(['large']);
    expect(oversized[0]?.children.length).toBeLessThan(20);
    expect(elements.map(({ attrs }) => attrs.id)).toEqual(['next']);
  });

  test('a stream error is told apart from an element called error', () => {
    const { streamErrors, elements } = parse(
      '<error/>',
      "<x:error xmlns:x='urn:x'/>",
      '<stream:error><conflict/></stream:error>',
      '<a/>',
    );
    expect(elements.map(({ name }) => name)).toEqual(['error', 'x:error']);
    expect(streamErrors).toHaveLength(1);
  });
});

describe('reasons', () => {
  const end = (content: string) => {
    const [error] = parse(`<stream:error>${content}</stream:error>`).streamErrors;
    return error === undefined ? undefined : streamErrorEnd(error, 'pbx.example.test');
  };

  test.each([
    ['not-authorized', /XMPP_SECRET/, true],
    ['conflict', /another process/, true],
    ['host-unknown', /knows no component pbx\.example\.test/, true],
    ['system-shutdown', /ended the stream/, false],
    ['not-well-formed', /ended the stream/, false],
  ])('%s', (condition, words, refused) => {
    const told = end(
      `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>in its own words</text>`,
    );
    expect(told?.reason).toMatch(words);
    expect(told?.reason).toContain('in its own words');
    expect(told?.refused).toBe(refused);
  });

  test('an error without condition is one, too; a long text is cut', () => {
    expect(end('')?.reason).toMatch(/undefined-condition/);
    expect(end(`<conflict/><text>${'x'.repeat(800)}</text>`)?.reason.length).toBeLessThan(600);
  });

  test('errors of the system', () => {
    const target = parseService('xmpp://[::1]');
    const told = (code: string) => failureEnd(Object.assign(new Error('raw'), { code }), target).reason;
    expect(told('ECONNREFUSED')).toMatch(/nothing listens at \[::1\]:5347.*ECONNREFUSED/);
    expect(told('ENOTFOUND')).toMatch(/does not resolve/);
    expect(told('EWHATEVER')).toMatch(/broke \(EWHATEVER\)/);
    expect(failureEnd(new Error('raw'), target).reason).toMatch(/broke \(raw\)/);
  });
});

test.each([
  ['xmpp://localhost', 'localhost:5347', false],
  ['xmpp://127.0.0.1:1234', '127.0.0.1:1234', false],
  ['xmpps://[::1]:5348', '[::1]:5348', true],
])('%s', (service, shown, tls) => {
  const target = parseService(service);
  expect(showTarget(target)).toBe(shown);
  expect(target.tls).toBe(tls);
});
