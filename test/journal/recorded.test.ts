import { describe, expect, test } from 'vitest';
import { createDirectory } from '../../src/directory.ts';
import { describePart } from '../../src/journal/describe.ts';
import type { Entry } from '../../src/journal/entry.ts';
import { createParts } from '../../src/journal/parts.ts';
import { replay } from '../../src/replay/replay.ts';
import { officeCalls } from '../calls/office.ts';
import { recordings } from '../calls/recordings.ts';
import { device, user } from '../modules/harness.ts';

const directory = createDirectory(
  [
    ['340', 'Anna Müller'],
    ['370', 'Bernd Schmidt'],
    ['320', 'Carla Österreich'],
    ['330', 'Dora Forward'],
    ['310', 'Emil Extra'],
  ].map(([extension = '', name = '']) =>
    user(`user${extension}`, extension, name, {
      devices: [device(`Desk ${extension}`, `PJSIP/${extension}`)],
    }),
  ),
);
const names = { directory, nameOf: () => undefined, recordOf: () => '', outsidePrefix: '' };

/** A line a person can read beside what the telephones did. */
function line(entry: Entry): string {
  const other = `${entry.prefix}${entry.number || '?'}${entry.name === '' ? '' : ` "${entry.name}"`}`;
  return [
    entry.extension,
    entry.inbound ? '<-' : '->',
    other,
    entry.internal ? '' : 'outside',
    entry.result,
    entry.details,
    entry.via === '' ? '' : `via ${entry.viaDetails} ${entry.via}`,
    entry.duration === 0 ? '' : 'answered',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

describe.each(recordings)('$name: $title', ({ name, bytes, sidecar }) => {
  test('everybody’s journal', async () => {
    const parts = createParts((extension) => directory.byExtension(extension)?.jid);
    const entries = new Map<string, Entry>();
    replay(bytes, sidecar, officeCalls(), (_t, change) => {
      const owner = change.kind === 'channel' ? directory.byDevice(change.view.device)?.user : undefined;
      if (owner === undefined || change.kind !== 'channel') return;
      for (const part of parts.take(owner.jid, change)) {
        const who = directory.byJid(part.user);
        if (who !== undefined) entries.set(`${part.user} ${part.id}`, describePart(part, who, names));
      }
    });
    const lines = [...entries.values()].map(line).sort();
    await expect(lines.map((text) => `${text}\n`).join('')).toMatchFileSnapshot(`./expected/${name}.txt`);
    expect(parts.open).toBe(0);
  });
});
