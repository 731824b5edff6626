import { pino } from 'pino';
import { expect, it } from 'vitest';
import { parseDirectory } from '../../src/directory/parse.ts';
import { createFill } from '../../src/presence/fill.ts';
import { hostedVoices } from '../../src/presence/hosted.ts';
import { createVisibility } from '../../src/presence/visibility.ts';
import type { BareJid } from '../../src/protocol/jid.ts';
import { createMemoryStore } from '../../src/store/memory.ts';

const pbx = 'pbx.example.org';

/** So many people, all in one group, each with a telephone. */
function people(count: number) {
  const users = Array.from(
    { length: count },
    (_, n) =>
      `  - { name: user${n}, extension: ${1000 + n}, groups: [All], devices: [{ name: Desk ${n}, device: PJSIP/${1000 + n} }] }`,
  );
  const parsed = parseDirectory(`users:\n${users.join('\n')}\n`, ['example.org']);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.directory;
}

it('puts so many telephones into a roster and no more, however many there are to be and whatever is thrown out', async () => {
  const store = createMemoryStore();
  const written = new Map<BareJid, number>();
  let directory = people(8);
  const fill = createFill({
    rosters: {
      // Everybody throws out everything.
      read: async () => [],
      write: async (user) => void written.set(user, (written.get(user) ?? 0) + 1),
    },
    directory: () => directory,
    visibility: createVisibility({ rule: 'group', domains: ['example.org'], list: [] }),
    voice: (user) => hostedVoices(pbx, user)[0],
    hosted: { grant: () => false },
    publisher: { introduce: () => {} },
    store,
    maxOffers: 5,
    log: pino({ level: 'silent' }),
  });
  await fill();
  directory = people(20);
  await fill();
  expect(written.size).toBe(20);
  expect(new Set(written.values())).toEqual(new Set([5]));
});
