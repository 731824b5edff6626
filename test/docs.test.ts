import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allSettings } from '../src/config.ts';
import { createKeys, tables } from '../src/store/keys.ts';

const project = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(project, path), 'utf8');

/** The anchor that a heading gets, as code forges make it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s/g, '-');

const anchors = (path: string) =>
  new Set([...read(path).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => anchor(text)));

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/add-a-command.md',
  'docs/calls.md',
  'docs/decisions.md',
  'docs/legacy-clients.md',
  'docs/operating.md',
  'docs/presence.md',
];

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, path = '', fragment]) => {
      const target = path === '' ? page : join(dirname(page), path);
      return !existsSync(join(project, target)) || (fragment !== undefined && !anchors(target).has(fragment));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it('names files that are there', () => {
    const named = [...read(page).matchAll(/(?<![\w./])((?:src|test|deploy|docs|\.ci)\/[\w./-]*\w\/?)/g)];
    // X and Y stand for names, device is the example of add-a-command.md.
    const paths = named.map(([, path = '']) => path).filter((path) => !/\/(X|device)\b/.test(path));
    expect(paths.filter((path) => !existsSync(join(project, path)))).toEqual([]);
  });

  it('names settings that there are', () => {
    const known = new Set(allSettings().flatMap(({ env }) => [env, `${env}_FILE`]));
    const prefixes =
      /^(XMPP|AMI|PBX|DIRECTORY|STORE|REDIS|HTTP|COMMAND|RATE|MAX|LOG|PRESENCE|EJABBERD)_[A-Z_]+$/;
    const named = [...read(page).matchAll(/(?<!\w)[A-Z]+(?:_[A-Z]+)+(?!\w)/g)].map(([name]) => name);
    // Of the compose profile prosody, not of the bridge.
    const unknown = named.filter((name) => prefixes.test(name) && !known.has(name));
    expect(unknown.filter((name) => name !== 'XMPP_ALLOW_PLAINTEXT')).toEqual([]);
  });
});

it('docs/operating.md lists every Redis key', () => {
  const page = read('docs/operating.md');
  for (const table of tables)
    expect(page).toMatch(new RegExp(`^\\| \`${createKeys('offhook:')(table)}\` +\\|`, 'm'));
});
