/**
 * The wire as typed values. A codec holds together how an element is read, written, checked and documented,
 * so that these cannot come to disagree.
 *
 * Reading ignores attributes and elements it does not know, and throws `bad-request` that names the
 * element, the attribute and what was expected. Writing keeps the order in which the fields are declared.
 */

import { badRequest } from '../errors.ts';
import { FixedText, Utf8Writer } from './utf8.ts';
import type { Value } from './value.ts';
import { elements, serialize, textOf, type XmlElement, type XmlNode } from './xml.ts';

/** One line of documentation about a field. */
export interface FieldDoc {
  readonly kind: 'attribute' | 'element' | 'text';
  readonly name: string;
  readonly mandatory: boolean;
  readonly repeated: boolean;
  readonly expects: string;
  readonly doc: string;
  /** The fields of a nested element. */
  readonly fields: readonly FieldDoc[];
}

/** A part of an element. Methods, so that a field of a narrow type fits a shape of wide ones. */
export interface Field<T> {
  readonly doc: (name: string) => FieldDoc;
  read(parent: XmlElement, name: string): T;
  write(value: T, name: string, attrs: Map<string, string>, children: XmlNode[]): void;
  /**
   * Writes what {@link write} and `serialize` would make, without the tree between: for what is written often. Made
   * once per declaration, so that names are joined once. Left out: the tree is made.
   */
  printer?(name: string): Printer<T>;
  readonly example: T;
}

/** Writes one field as bytes; what goes into the element's tag, or what goes into its content. */
export interface Printer<T> {
  readonly into: 'tag' | 'content';
  print(value: T, out: Utf8Writer): void;
}

type Shape = Readonly<Record<string, Field<unknown>>>;

/** The value of a shape: one property a field. */
export type ValueOf<S> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** An element: its name, and what is in it. */
export interface ElementCodec<T> {
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly FieldDoc[];
  /** Throws `StanzaError` `bad-request`. The element's own name is the caller's to check. */
  read(element: XmlElement): T;
  write(value: T): XmlElement;
  /** Writes the same, serialized: what is written often needs no tree. */
  print(value: T, out: Utf8Writer): void;
  /** A complete valid value. */
  readonly example: T;
}

/** The value type of an element codec. */
export type Infer<C> = C extends ElementCodec<infer T> ? T : never;

function readText<T>(value: Value<T>, raw: string, what: string): T {
  const parsed = value.read(raw);
  if (parsed === undefined) badRequest(`${what} must be ${value.expects}`);
  return parsed;
}

function scalar<T>(
  value: Value<T>,
  kind: FieldDoc['kind'],
  mandatory: boolean,
  doc: string,
): Field<T>['doc'] {
  return (name) => ({ kind, name, mandatory, repeated: false, expects: value.expects, doc, fields: [] });
}

/** A mandatory attribute. */
export function attr<T>(value: Value<T>, doc = ''): Field<T> {
  return {
    doc: scalar(value, 'attribute', true, doc),
    read(parent, name) {
      const raw = parent.attrs.get(name);
      if (raw === undefined) badRequest(`${parent.name}: attribute '${name}' is missing`);
      return readText(value, raw, `${parent.name}: attribute '${name}'`);
    },
    write: (item, name, attrs) => void attrs.set(name, value.write(item)),
    printer(name) {
      const open = new FixedText(` ${name}='`);
      return {
        into: 'tag',
        print(item, out) {
          out.fixed(open);
          out.escaped(value.write(item));
          out.fixed(quote);
        },
      };
    },
    example: value.example,
  };
}

/** An attribute that may be absent; an empty one counts as absent, as legacy clients send them. */
export function optional<T>(value: Value<T>, doc = ''): Field<T | undefined> {
  return {
    doc: scalar(value, 'attribute', false, doc),
    read(parent, name) {
      const raw = parent.attrs.get(name);
      if (raw === undefined || raw === '') return undefined;
      return readText(value, raw, `${parent.name}: attribute '${name}'`);
    },
    write: (item, name, attrs) => void (item !== undefined && attrs.set(name, value.write(item))),
    // An empty attribute reads as absent, so it is no example.
    example: value.write(value.example) === '' ? undefined : value.example,
  };
}

/** An attribute that reads as `fallback` where it is absent, and is always written. */
export function attrOr<T>(value: Value<T>, fallback: T, doc = ''): Field<T> {
  const inner = optional(value, doc);
  return {
    ...inner,
    read: (parent, name) => inner.read(parent, name) ?? fallback,
    example: value.example,
  };
}

/** A child element with text. Always written; reads as `fallback` where it is absent or empty. */
export function textElement<T>(value: Value<T>, fallback: T, doc = ''): Field<T> {
  return {
    doc: scalar(value, 'element', false, doc),
    read(parent, name) {
      const raw = firstChild(parent, name);
      const content = raw === undefined ? '' : textOf(raw).trim();
      return content === '' ? fallback : readText(value, content, `${parent.name}: element '${name}'`);
    },
    write(item, name, _attrs, children) {
      const content = value.write(item);
      children.push({ name, attrs: none, children: content === '' ? [] : [content] });
    },
    printer(name) {
      const open = new FixedText(`<${name}>`);
      const close = new FixedText(`</${name}>`);
      const empty = new FixedText(`<${name}/>`);
      return {
        into: 'content',
        print(item, out) {
          const content = value.write(item);
          if (content === '') {
            out.fixed(empty);
            return;
          }
          out.fixed(open);
          out.escaped(content);
          out.fixed(close);
        },
      };
    },
    example: value.example,
  };
}

/** The element's own text. */
export function ownText<T>(value: Value<T>, doc = ''): Field<T> {
  return {
    doc: scalar(value, 'text', true, doc),
    read: (parent) => readText(value, textOf(parent), `${parent.name}: text`),
    write: (item, _name, _attrs, children) => void children.push(value.write(item)),
    example: value.example,
  };
}

/** A mandatory child element of its own codec. */
export function one<T>(codec: ElementCodec<T>): Field<T> {
  return {
    doc: nested(codec, true, false),
    read(parent) {
      const found = firstChild(parent, codec.name);
      if (found === undefined) badRequest(`${parent.name}: element '${codec.name}' is missing`);
      return codec.read(found);
    },
    write: (item, _name, _attrs, children) => void children.push(codec.write(item)),
    example: codec.example,
  };
}

/** A child element that may be absent. */
export function maybe<T>(codec: ElementCodec<T>): Field<T | undefined> {
  return {
    doc: nested(codec, false, false),
    read(parent) {
      const found = firstChild(parent, codec.name);
      return found === undefined ? undefined : codec.read(found);
    },
    write: (item, _name, _attrs, children) => void (item !== undefined && children.push(codec.write(item))),
    printer: () => ({
      into: 'content',
      print(item, out) {
        if (item !== undefined) codec.print(item, out);
      },
    }),
    example: codec.example,
  };
}

/** Any number of child elements, `max` at the most when reading. */
export function many<T>(codec: ElementCodec<T>, max = 1000): Field<readonly T[]> {
  return {
    doc: nested(codec, false, true),
    read(parent) {
      const found = elements(parent).filter((node) => node.name === codec.name);
      if (found.length > max) badRequest(`${parent.name}: at most ${max} elements '${codec.name}' are taken`);
      return found.map((node) => codec.read(node));
    },
    write(items, _name, _attrs, children) {
      for (const item of items) children.push(codec.write(item));
    },
    printer: () => ({
      into: 'content',
      print(items, out) {
        for (const item of items) codec.print(item, out);
      },
    }),
    example: [codec.example],
  };
}

/** A set of empty elements inside a wrapper: `<capabilities><dial/><hold/></capabilities>`. */
export function flagSet(known: readonly string[], doc = ''): Field<ReadonlySet<string>> {
  return {
    doc: (name) => ({
      kind: 'element',
      name,
      mandatory: true,
      repeated: false,
      expects: `empty elements out of ${known.join(', ')}`,
      doc,
      fields: [],
    }),
    read(parent, name) {
      const wrapper = firstChild(parent, name);
      return new Set(wrapper === undefined ? [] : elements(wrapper).map((node) => node.name));
    },
    write(set, name, _attrs, children) {
      const flags = [...set].map((flag) => ({ name: flag, attrs: none, children: [] }));
      children.push({ name, attrs: none, children: flags });
    },
    example: new Set(known),
  };
}

const none: ReadonlyMap<string, string> = new Map();

function firstChild(parent: XmlElement, name: string): XmlElement | undefined {
  return elements(parent).find((node) => node.name === name);
}

function nested<T>(codec: ElementCodec<T>, mandatory: boolean, repeated: boolean): Field<T>['doc'] {
  return () => ({
    kind: 'element',
    name: codec.name,
    mandatory,
    repeated,
    expects: 'an element',
    doc: codec.doc,
    fields: codec.fields,
  });
}

/**
 * Declares an element. A field's key is the name on the wire, but for nested codecs ({@link one}, {@link maybe},
 * {@link many}), which bring their own.
 */
export function element<S extends Shape>(name: string, shape: S, doc = ''): ElementCodec<ValueOf<S>> {
  const fields = Object.entries(shape);
  const write = (value: ValueOf<S>): XmlElement => {
    const attrs = new Map<string, string>();
    const children: XmlNode[] = [];
    for (const [key, field] of fields) field.write(value[key], key, attrs, children);
    return { name, attrs, children };
  };
  return {
    name,
    doc,
    fields: fields.map(([key, field]) => field.doc(key)),
    read: (node) => fromEntries<S>(fields.map(([key, field]) => [key, field.read(node, key)])),
    write,
    print: printed(name, shape) ?? ((value, out) => out.text(serialize(write(value)))),
    example: fromEntries<S>(fields.map(([key, field]) => [key, field.example])),
  };
}

const measure = new Utf8Writer();

/** Bytes of an element on the wire. */
export function sizeOf<T>(codec: ElementCodec<T>, value: T): number {
  measure.clear();
  codec.print(value, measure);
  return measure.length;
}

/** The whole element's printer; undefined where a field has none. */
function printed<S extends Shape>(name: string, shape: S): ElementCodec<ValueOf<S>>['print'] | undefined {
  const tag: [key: string, printer: Printer<unknown>][] = [];
  const content: typeof tag = [];
  for (const [key, field] of Object.entries(shape)) {
    const printer = field.printer?.(key);
    if (printer === undefined) return undefined;
    (printer.into === 'tag' ? tag : content).push([key, printer]);
  }
  const open = new FixedText(`<${name}`);
  const tagEnd = new FixedText(content.length === 0 ? '/>' : '>');
  const close = new FixedText(content.length === 0 ? '' : `</${name}>`);
  return (value, out) => {
    out.fixed(open);
    for (const [key, printer] of tag) printer.print(value[key], out);
    out.fixed(tagEnd);
    for (const [key, printer] of content) printer.print(value[key], out);
    out.fixed(close);
  };
}

const quote = new FixedText("'");

// The one place where the shape's types meet values that were built field by field.
function fromEntries<S extends Shape>(entries: [string, unknown][]): ValueOf<S> {
  return Object.fromEntries(entries) as ValueOf<S>;
}
