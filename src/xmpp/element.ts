/** From the library's elements to ours. */

import type { LtxElement } from '@xmpp/component';
import type { XmlElement, XmlNode } from '../protocol/xml.ts';
import { COMPONENT_NS } from './namespaces.ts';

/** Prefix → namespace URI; the default namespace under ''. Absent = undeclared. */
type Scope = ReadonlyMap<string, string>;

const streamScope: Scope = new Map([['', COMPONENT_NS]]);

/**
 * Turns a stanza into a plain tree: prefixes resolved and gone, `ns` where it differs from the parent's, so that a
 * stanza itself has none (the stream's content namespace, RFC 6120 §4.8.2). Attributes with a prefix other than `xml:`
 * are left out: they mean nothing without their declaration.
 *
 * Undefined where elements are nested deeper than `maxDepth`: what walks trees may recurse.
 */
export function normalize(stanza: LtxElement, maxDepth: number): XmlElement | undefined {
  const root = stanza.parent === null ? streamScope : declare(streamScope, stanza.parent);
  return convert(stanza, root, COMPONENT_NS, maxDepth);
}

function convert(element: LtxElement, outer: Scope, parentNs: string, depth: number): XmlElement | undefined {
  if (depth <= 0) return undefined;
  const scope = declare(outer, element);
  const colon = element.name.indexOf(':');
  const ns = scope.get(colon < 0 ? '' : element.name.slice(0, colon)) ?? '';
  const children: XmlNode[] = [];
  for (const node of element.children) {
    const child = typeof node === 'string' ? node : convert(node, scope, ns, depth - 1);
    if (child === undefined) return undefined;
    children.push(child);
  }
  const attrs = Object.entries(element.attrs).filter(([name]) => isPlain(name));
  return {
    name: element.name.slice(colon + 1),
    ns: ns === parentNs ? undefined : ns,
    attrs: new Map(attrs),
    children,
  };
}

function isPlain(attribute: string): boolean {
  return attribute !== 'xmlns' && (!attribute.includes(':') || attribute.startsWith('xml:'));
}

/** The scope inside an element: a new Map only where it declares something. */
function declare(outer: Scope, { attrs }: LtxElement): Scope {
  const declared = Object.entries(attrs).filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (declared.length === 0) return outer;
  return new Map([
    ...outer,
    ...declared.map(([name, uri]): [string, string] => [name.slice('xmlns:'.length), uri]),
  ]);
}
