/** Codecs, as documentation: Markdown tables and example XML. */

import type { ElementCodec, FieldDoc } from './codec.ts';
import { escapeXml, type XmlElement } from './xml.ts';

/** One row for each field, nested elements indented; the empty string where there are none. */
export function fieldTable(fields: readonly FieldDoc[]): string {
  const rows = rowsOf(fields, 0);
  return rows.length === 0
    ? ''
    : ['| name | kind | must be | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function rowsOf(fields: readonly FieldDoc[], depth: number): string[] {
  return fields.flatMap((field) => {
    const indent = '&nbsp;&nbsp;'.repeat(depth);
    const name = field.mandatory ? `**${field.name}**` : field.name;
    const kind = field.repeated ? `${field.kind}s` : field.kind;
    const row = `| ${indent}${name} | ${kind} | ${field.expects} | ${field.doc.replaceAll('|', '\\|')} |`;
    return [row, ...rowsOf(field.fields, depth + 1)];
  });
}

/** The codec's example value as indented XML. For people: white space is added between elements. */
export function exampleXml<T>(codec: ElementCodec<T>): string {
  return pretty(codec.write(codec.example), '');
}

/** Indents a tree for people to read. Text stays on its element's line. */
export function pretty(element: XmlElement, indent: string): string {
  const ns = element.ns === undefined ? '' : ` xmlns='${escapeXml(element.ns)}'`;
  const attrs = [...element.attrs].map(([name, value]) => ` ${name}='${escapeXml(value)}'`).join('');
  const open = `${indent}<${element.name}${ns}${attrs}`;
  if (element.children.length === 0) return `${open}/>`;
  if (element.children.every((node) => typeof node === 'string')) {
    return `${open}>${element.children.map((node) => escapeXml(String(node))).join('')}</${element.name}>`;
  }
  const inner = element.children.map((node) =>
    typeof node === 'string' ? `${indent}  ${escapeXml(node)}` : pretty(node, `${indent}  `),
  );
  return [`${open}>`, ...inner, `${indent}</${element.name}>`].join('\n');
}
