/**
 * XML as this bridge holds it: plain immutable trees, and the one place that writes them out.
 * Reading is the XMPP library's work; `xmpp/` hands over trees of this shape.
 */

/** An element with its namespace resolved: `name` is the local name, prefixes are gone. */
export interface XmlElement {
  readonly name: string;
  /** Namespace URI; undefined = inherits the parent's. */
  readonly ns?: string | undefined;
  /** Attributes in document order, without `xmlns`. A Map, so that no name is special. */
  readonly attrs: ReadonlyMap<string, string>;
  readonly children: readonly XmlNode[];
}

/** A child of an element: an element, or text (unescaped). */
export type XmlNode = XmlElement | string;

const noAttrs: ReadonlyMap<string, string> = new Map();

/** Builds an element. Attributes whose value is undefined are left out. */
export function xml(
  name: string,
  attrs: Readonly<Record<string, string | undefined>> = {},
  children: readonly XmlNode[] = [],
): XmlElement {
  const { xmlns, ...rest } = attrs;
  const entries = Object.entries(rest).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { name, ns: xmlns, attrs: entries.length === 0 ? noAttrs : new Map(entries), children };
}

/** The element children, text left out. */
export function elements(parent: XmlElement): XmlElement[] {
  return parent.children.filter((node): node is XmlElement => typeof node !== 'string');
}

/** The first child element of that local name, whatever its namespace. */
export function child(parent: XmlElement, name: string): XmlElement | undefined {
  for (const node of parent.children) if (typeof node !== 'string' && node.name === name) return node;
  return undefined;
}

/** The element's own text, joined; elements inside it are not read. */
export function textOf(element: XmlElement): string {
  let text = '';
  for (const node of element.children) if (typeof node === 'string') text += node;
  return text;
}

// XML 1.0 §2.2 Char: what is not in this list ends the stream with not-well-formed, escaped or not.
const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const special = /[&<>"'\t\n\r]/g;
const needsWork = /[&<>"'\t\n\r\0-\u001F\uD800-\uDFFF\uFFFE\uFFFF]/;
// Nearly all texts are short, and have nothing to escape: looking at each character is quicker than the expression.
const short = 48;
const suspicious = Uint8Array.from({ length: 64 }, (_, code) =>
  code < 0x20 || `&<>"'`.includes(String.fromCharCode(code)) ? 1 : 0,
);

/** Whether a character below U+D800, by its code, is one that {@link escapeXml} does not leave as it is. */
export function isMarkup(code: number): boolean {
  return code < 64 && suspicious[code] === 1;
}

function isPlain(text: string): boolean {
  if (text.length > short) return !needsWork.test(text);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 || isMarkup(code)) return !needsWork.test(text);
  }
  return true;
}

function entity(char: string): string {
  switch (char) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    case "'":
      return '&apos;';
    default:
      // Literal tabs and line ends would be normalised to blanks in attributes (XML 1.0 §3.3.3).
      return `&#${char.charCodeAt(0)};`;
  }
}

/** Escapes text for element content and attribute values alike; characters XML 1.0 forbids become U+FFFD. */
export function escapeXml(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(forbidden, '\uFFFD').replace(special, entity);
}

/** Writes an element. The result is well-formed whatever the texts in it hold. */
export function serialize(element: XmlElement): string {
  let out = `<${element.name}`;
  if (element.ns !== undefined) out += ` xmlns='${escapeXml(element.ns)}'`;
  for (const [name, value] of element.attrs) out += ` ${name}='${escapeXml(value)}'`;
  if (element.children.length === 0) return `${out}/>`;
  out += '>';
  for (const node of element.children) out += typeof node === 'string' ? escapeXml(node) : serialize(node);
  return `${out}</${element.name}>`;
}
