/** Reads a stream of XML as this bridge writes it (no comments, no CDATA), stanza by stanza. Independent of what it tests. */

/** An element as written: `xmlns` is an attribute like others. */
export interface Tree {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: (Tree | string)[];
}

/** The first element child of that name. */
export function find(parent: Tree | undefined, name: string): Tree | undefined {
  return parent?.children.find((node): node is Tree => typeof node !== 'string' && node.name === name);
}

/** The element children. */
export function elementsOf(element: Tree | undefined): Tree[] {
  return (element?.children ?? []).filter((node): node is Tree => typeof node !== 'string');
}

/** The text right in an element. */
export function textIn(element: Tree | undefined): string {
  return (element?.children ?? []).filter((node) => typeof node === 'string').join('');
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(/&(#x?)?([^;]+);/g, (whole, number: string | undefined, name: string) => {
    if (number === undefined) return entities[name] ?? whole;
    return String.fromCodePoint(Number.parseInt(name, number === '#x' ? 16 : 10));
  });
}

/** Calls back with each complete child of the stream's element, and once for its start and its end. */
export function reader(on: {
  start(stream: Tree): void;
  stanza(stanza: Tree): void;
  end(): void;
}): (text: string) => void {
  let rest = '';
  const path: Tree[] = [];
  const close = () => {
    const done = path.pop();
    if (done === undefined || path.length === 0) on.end();
    else if (path.length === 1) on.stanza(done);
    else path.at(-1)?.children.push(done);
  };
  return (text) => {
    rest += text;
    for (let match = /^([^<]*)<([^>]*)>/.exec(rest); match !== null; match = /^([^<]*)<([^>]*)>/.exec(rest)) {
      rest = rest.slice(match[0].length);
      const [, before = '', tag = ''] = match;
      if (before !== '' && path.length > 1) path.at(-1)?.children.push(decode(before));
      if (tag.startsWith('?')) continue;
      if (tag.startsWith('/')) {
        close();
        continue;
      }
      const pairs = [...tag.matchAll(/([\w:.-]+)=(?:'([^']*)'|"([^"]*)")/g)];
      const attrs = Object.fromEntries(pairs.map(([, name = '', a, b]) => [name, decode(a ?? b ?? '')]));
      const element: Tree = { name: /^[^\s/]+/.exec(tag)?.[0] ?? '', attrs, children: [] };
      path.push(element);
      if (path.length === 1) on.start(element);
      if (tag.endsWith('/')) close();
    }
  };
}
