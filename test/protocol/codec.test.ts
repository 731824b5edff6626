import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentModules } from '../../src/modules/document.ts';
import { modules } from '../../src/modules/index.ts';
import {
  attr,
  attrOr,
  element,
  flagSet,
  many,
  maybe,
  one,
  optional,
  sizeOf,
  textElement,
} from '../../src/protocol/codec.ts';
import { Utf8Writer } from '../../src/protocol/utf8.ts';
import { flag, integer, oneOf, text } from '../../src/protocol/value.ts';
import { serialize, xml } from '../../src/protocol/xml.ts';

const inner = element('Inner', { id: attr(integer(0, 9, 3)) });
const codec = element('Outer', {
  must: attr(text('x', 5)),
  may: optional(integer(1, 10, 5)),
  scope: attrOr(oneOf('user', 'supervisor'), 'user'),
  label: textElement(text('hello'), ''),
  on: textElement(flag(true), false),
  inner: one(inner),
  extra: maybe(element('Extra', {})),
  items: many(element('Item', { n: attr(text('1')) }), 2),
  abilities: flagSet(['dial', 'hold']),
});

const minimal = () => xml('Outer', { must: 'a' }, [xml('Inner', { id: '1' })]);

describe('element', () => {
  it('fills in what may be absent', () => {
    expect(codec.read(minimal())).toEqual({
      must: 'a',
      may: undefined,
      scope: 'user',
      label: '',
      on: false,
      inner: { id: 1 },
      extra: undefined,
      items: [],
      abilities: new Set(),
    });
  });

  it('writes in the declared order, empty elements included', () => {
    const value = { ...codec.read(minimal()), items: [{ n: '1' }], abilities: new Set(['hold']) };
    expect(serialize(codec.write(value))).toBe(
      "<Outer must='a' scope='user'><label/><on>false</on><Inner id='1'/><Item n='1'/><abilities><hold/></abilities></Outer>",
    );
  });

  it('ignores what it does not know', () => {
    const odd = xml('Outer', { must: 'a', constructor: 'x' }, [
      xml('toString'),
      'blah',
      xml('Inner', { id: '1' }),
    ]);
    expect(codec.read(odd).must).toBe('a');
  });

  it.each([
    [xml('Outer', {}, [xml('Inner', { id: '1' })]), "Outer: attribute 'must' is missing"],
    [xml('Outer', { must: 'abcdef' }, []), "Outer: attribute 'must' must be a text of at most 5 characters"],
    [
      xml('Outer', { must: 'a', may: '11' }, []),
      "Outer: attribute 'may' must be a whole number from 1 to 10",
    ],
    [xml('Outer', { must: 'a', may: '٣' }, []), "Outer: attribute 'may' must be a whole number from 1 to 10"],
    [
      xml('Outer', { must: 'a', scope: 'all' }, []),
      "Outer: attribute 'scope' must be one of 'user', 'supervisor'",
    ],
    [xml('Outer', { must: 'a' }, []), "Outer: element 'Inner' is missing"],
    [xml('Outer', { must: 'a' }, [xml('Inner')]), "Inner: attribute 'id' is missing"],
  ])('says what is wrong: %#', (node, message) => {
    expect(() => codec.read(node)).toThrow(message);
  });

  it('takes no more children than it said', () => {
    const items = ['1', '2', '3'].map((n) => xml('Item', { n }));
    expect(() => codec.read({ ...minimal(), children: [...minimal().children, ...items] })).toThrow(
      'at most 2 elements',
    );
  });
});

const everyCodec = modules.flatMap((module) => [
  ...[...module.commands.values()].flatMap((command) => [
    [`${module.name}.${command.name} request`, command.request] as const,
    [`${module.name}.${command.name} answer`, command.response.codec] as const,
  ]),
  ...[...module.events.values()].map((event) => [`${module.name}.${event.name}`, event.payload] as const),
]);

describe('the API', () => {
  it.each(everyCodec)('%s survives the wire', (_name, each) => {
    expect(each.read(each.write(each.example))).toEqual(each.example);
  });

  it.each(everyCodec)('%s is the same printed as in a tree', (_name, each) => {
    const out = new Utf8Writer();
    each.print(each.example, out);
    const whole = serialize(each.write(each.example));
    expect(Buffer.from(out.bytes).toString()).toBe(whole);
    expect(sizeOf(each, each.example)).toBe(Buffer.byteLength(whole));
  });

  it('has a fresh reference in docs/protocol.md', () => {
    const written = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    expect(written, 'run `npm run docs`').toBe(documentModules(modules));
  });
});
